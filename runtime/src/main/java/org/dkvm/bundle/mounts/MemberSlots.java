// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.mounts;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dkvm.core.DkvmException;
import org.dkvm.core.container.GuestMount;
import org.dkvm.json.Json;
import org.jspecify.annotations.Nullable;

/**
 * What a pod's further container brings, in slots of the pod's share: its root and its files in slots of its own; a directory of the host in one that all containers of the pod with the same
 * directory have, so that there is one filesystem of it in the guest, and locks, sockets and shared memory cross.
 */
public final class MemberSlots {
    /** A directory of the pod's own, which no container of another pod has: one writes and another only reads, and both see one filesystem. */
    private static final Pattern EMPTY_DIR =
            Pattern.compile("/.*/pods/([^/]+)/volumes/kubernetes\\.io~empty-dir/[^/]+");

    /** What is mounted at the source later is to be seen in the container: MS_SLAVE of mount(2). */
    private static final long SLAVE = 1L << 19;

    /** Made anew for each start of a container: what was mounted for the one before is another directory. */
    private static final String SUB_PATHS = "/volume-subpaths/";

    private static final String SHARED = "pod/";
    private static final String VOLUMES = "volumes/";
    private static final long FNV_OFFSET = 0xcbf29ce484222325L;
    private static final long FNV_PRIME = 0x100000001b3L;

    /**
     * One mount of the host's.
     *
     * @param name below the pod's share
     * @param flags MS_* of mount(2)
     * @param recursive whether with what is mounted below its source
     * @param source a path of the host
     */
    public record Slot(String name, long flags, boolean recursive, String source) {
        /** A line for dkvm-keep. */
        public String line() {
            return name + "\t" + flags + "\t" + (recursive ? 1 : 0) + "\t" + source;
        }
    }

    private final List<Slot> slots = new ArrayList<>();
    private final List<GuestMount> guest = new ArrayList<>();

    private MemberSlots() {}

    /**
     * Gives what a container brings its slots.
     *
     * @param rootfs its root
     * @param bundle its directory, where relative sources start
     * @param number the container's in the VM
     * @param pod what Kubernetes calls the pod; empty where nobody tells
     */
    public static MemberSlots of(MountPlan mounts, Path rootfs, Path bundle, int number, String pod)
            throws DkvmException {
        MemberSlots all = new MemberSlots();
        all.slots.add(
                new Slot(number + "/root", MountOptions.NOSUID | MountOptions.NODEV, true, checked(rootfs.toString())));
        Map<String, String> names = new HashMap<>();
        for (JsonObject mount : mounts.slots()) {
            Slot slot = slot(mount, bundle, number, pod);
            if (all.slots.stream().noneMatch(known -> known.name().equals(slot.name()))) {
                all.slots.add(slot);
            }
            names.put(name(mount), SHARED + slot.name());
        }
        for (GuestMount mount : mounts.guest()) {
            all.guest.add(all.moved(mount, names));
        }
        return all;
    }

    /** What is mounted on the host. */
    public List<Slot> all() {
        return slots;
    }

    /** What the agent mounts. */
    public List<GuestMount> guest() {
        return guest;
    }

    private static Slot slot(JsonObject mount, Path bundle, int number, String pod) throws DkvmException {
        List<String> options = Json.strings(mount, "options");
        String type = Json.string(mount, "type").orElse("");
        boolean recursive = options.contains("rbind");
        if (!"bind".equals(type) && !recursive && !options.contains("bind")) {
            throw new DkvmException(
                    "mounting a filesystem of type \"" + type + "\" in a pod's container is not supported",
                    "mount a directory");
        }
        String source =
                checked(bundle.resolve(Json.string(mount, "source").orElse("")).toString());
        if (options.contains("rshared") || options.contains("shared")) {
            throw new DkvmException(
                    "what a container mounts in a VM can not be mounted on the host: \"" + source
                            + "\" is to be shared both ways",
                    "leave mountPropagation: Bidirectional out");
        }
        String own = name(mount);
        long flags = MountOptions.parse(options).flags() & MountPlan.SLOT_FLAGS;
        if (Slots.isFile(own) || source.contains(SUB_PATHS)) {
            return new Slot(number + "/" + own, flags, recursive, source);
        }
        long shared = isPodsOwn(source, pod) ? flags & ~MountOptions.RDONLY : flags;
        long propagated = options.contains("rslave") || options.contains("slave") ? shared | SLAVE : shared;
        return new Slot(VOLUMES + volume(source, propagated, recursive), propagated, recursive, source);
    }

    private static boolean isPodsOwn(String source, String pod) {
        Matcher matcher = EMPTY_DIR.matcher(source);
        return !pod.isEmpty() && matcher.matches() && pod.equals(matcher.group(1));
    }

    /** Of one directory with one set of flags: a directory made anew in its place is another one. */
    private static String volume(String source, long flags, boolean recursive) throws DkvmException {
        long hash = FNV_OFFSET;
        for (int i = 0; i < source.length(); i++) {
            hash = (hash ^ source.charAt(i)) * FNV_PRIME;
        }
        try {
            Map<String, Object> file = Files.readAttributes(Path.of(source), "unix:dev,ino");
            return Long.toHexString(hash) + "." + hex(file.get("dev")) + "." + hex(file.get("ino")) + "."
                    + Long.toHexString(flags) + (recursive ? "r" : "");
        } catch (IOException e) {
            throw new DkvmException("volume \"" + source + "\" can not be looked at: " + e, "", e);
        }
    }

    private static String hex(@Nullable Object number) {
        return number instanceof Number known ? Long.toHexString(known.longValue()) : "0";
    }

    private GuestMount moved(GuestMount mount, Map<String, String> names) throws DkvmException {
        return switch (mount.kind()) {
            case SLOT ->
                new GuestMount(
                        mount.kind(),
                        mount.target(),
                        names.getOrDefault(mount.source(), mount.source()),
                        mount.filesystem(),
                        mount.flags(),
                        mount.data());
            case FILESYSTEM ->
                "/dev/shm".equals(mount.target())
                        ? new GuestMount(
                                GuestMount.Kind.SHARED_FILESYSTEM,
                                mount.target(),
                                mount.source(),
                                mount.filesystem(),
                                mount.flags(),
                                mount.data())
                        : mount;
            case SHARED_FILESYSTEM -> mount;
            case SOCKET ->
                throw new DkvmException(
                        "mounting a socket of the host at \"" + mount.target()
                                + "\" in a pod's container is not supported yet",
                        "mount the directory that it is in is no way either: a VM connects to no socket of the host there");
            case DISK -> throw new DkvmException("disks of a pod's container are not supported", "");
        };
    }

    /** Without what separates dkvm-keep's words. */
    private static String checked(String source) throws DkvmException {
        if (source.indexOf('\t') >= 0 || source.indexOf('\n') >= 0) {
            throw new DkvmException("the source of a mount has a tab or a line break in its name", "");
        }
        return source;
    }

    /** The last part of a slot's place. */
    private static String name(JsonObject mount) {
        String destination = Json.string(mount, "destination").orElse("");
        return destination.substring(destination.lastIndexOf('/') + 1);
    }
}
