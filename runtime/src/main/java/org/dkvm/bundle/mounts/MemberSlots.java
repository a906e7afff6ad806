// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.mounts;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.dkvm.core.DkvmException;
import org.dkvm.core.container.GuestMount;
import org.dkvm.json.Json;
import org.jspecify.annotations.Nullable;

/**
 * What a pod's further container brings, in slots of the pod's share: its root and its files in slots of its own; a directory of the host in one that all containers of the pod with the same
 * directory have, so that there is one filesystem of it in the guest, and locks, sockets and shared memory cross.
 */
public final class MemberSlots {
    /** What is mounted at the source later is to be seen in the container: MS_SLAVE of mount(2). */
    private static final long SLAVE = 1L << 19;

    private static final String SHARED = "pod/";
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

        boolean isReadOnly() {
            return (flags & MountOptions.RDONLY) != 0;
        }
    }

    private final List<Slot> slots = new ArrayList<>();
    private final List<GuestMount> guest = new ArrayList<>();
    /** By the names that the plan has for slots. */
    private final Map<String, Slot> named = new HashMap<>();

    private final Map<String, MemoryVolumes.Volume> inMemory = new HashMap<>();
    private final Map<String, VolumeParts.Within> parts = new HashMap<>();

    private MemberSlots() {}

    /**
     * Gives what a container brings its slots.
     *
     * @param rootfs its root
     * @param bundle its directory, where relative sources start
     * @param number the container's in the VM
     * @param volumes the pod's
     */
    public static MemberSlots of(MountPlan mounts, Path rootfs, Path bundle, int number, PodVolumes volumes)
            throws DkvmException {
        MemberSlots all = new MemberSlots();
        all.slots.add(
                new Slot(number + "/root", MountOptions.NOSUID | MountOptions.NODEV, true, checked(rootfs.toString())));
        for (JsonObject mount : mounts.slots()) {
            String source = source(mount, bundle);
            Optional<MemoryVolumes.Volume> volume = MountPlan.isPodsVolume(source)
                    ? volumes.memory().find(source, Json.strings(mount, "options"))
                    : Optional.empty();
            if (volume.isPresent()) {
                all.inMemory.put(name(mount), volume.get());
            } else {
                all.named.put(name(mount), slot(mount, bundle, number, volumes));
            }
        }
        // Who reads what he, or a neighbour, may write as well has the same filesystem of it in the guest.
        for (Map.Entry<String, Slot> entry : all.named.entrySet()) {
            entry.setValue(all.shared(entry.getValue(), volumes));
        }
        for (JsonObject mount : mounts.slots()) {
            Slot slot = all.named.get(name(mount));
            if (slot != null) {
                all.add(slot, volumes);
                all.find(name(mount), slot, volumes);
            }
        }
        for (GuestMount mount : mounts.guest()) {
            all.guest.add(all.moved(mount));
        }
        return all;
    }

    /** A volume that is mounted stays so as long as the pod: there is nothing to do, and nobody gets more of it than it has. */
    private void add(Slot slot, PodVolumes volumes) {
        if (!has(slots, slot) && !volumes.isMounted(slot)) {
            slots.add(slot);
        }
    }

    private static boolean has(Collection<Slot> slots, Slot wanted) {
        for (Slot slot : slots) {
            if (slot.name().equals(wanted.name())) {
                return true;
            }
        }
        return false;
    }

    /** What is mounted on the host. */
    public List<Slot> all() {
        return slots;
    }

    /** What the agent mounts. */
    public List<GuestMount> guest() {
        return guest;
    }

    private static String source(JsonObject mount, Path bundle) throws DkvmException {
        return checked(bundle.resolve(Json.string(mount, "source").orElse("")).toString());
    }

    private static Slot slot(JsonObject mount, Path bundle, int number, PodVolumes volumes) throws DkvmException {
        List<String> options = Json.strings(mount, "options");
        String type = Json.string(mount, "type").orElse("");
        boolean recursive = options.contains("rbind");
        if (!"bind".equals(type) && !recursive && !options.contains("bind")) {
            throw new DkvmException(
                    "mounting a filesystem of type \"" + type + "\" in a pod's container is not supported",
                    "mount a directory");
        }
        String source = source(mount, bundle);
        if (options.contains("rshared") || options.contains("shared")) {
            throw new DkvmException(
                    "what a container mounts in a VM can not be mounted on the host: \"" + source
                            + "\" is to be shared both ways",
                    "leave mountPropagation: Bidirectional out");
        }
        String own = name(mount);
        long flags = MountOptions.parse(options).flags() & MountPlan.SLOT_FLAGS;
        if (Slots.isFile(own)) {
            return new Slot(number + "/" + own, flags, recursive, source);
        }
        boolean slave = options.contains("rslave") || options.contains("slave");
        return volume(
                source,
                (volumes.isPodsOwn(source) ? flags & ~MountOptions.RDONLY : flags) | (slave ? SLAVE : 0),
                recursive);
    }

    /** The same directory, writable, where the VM has that anyway: the guest makes the mount read-only. */
    private Slot shared(Slot slot, PodVolumes volumes) throws DkvmException {
        if (!slot.isReadOnly() || !slot.name().startsWith(PodVolumes.SLOTS)) {
            return slot;
        }
        Slot writable = volume(slot.source(), slot.flags() & ~MountOptions.RDONLY, slot.recursive());
        return has(named.values(), writable) || volumes.isMounted(writable) ? writable : slot;
    }

    /** A part of a volume is looked for in the guest's filesystem of the volume. */
    private void find(String name, Slot slot, PodVolumes volumes) throws DkvmException {
        Optional<VolumeParts.Within> within = slot.source().contains(VolumeParts.PARTS)
                ? new VolumeParts(volumes).find(slot, named.values())
                : Optional.empty();
        if (within.isPresent()) {
            add(within.get().volume(), volumes);
            parts.put(name, within.get());
        }
    }

    /**
     * Of one directory with one set of flags: a directory made anew in its place is another one. Each mount of a part of a volume has a path of its own, and nothing is mounted below it.
     */
    static Slot volume(String source, long flags, boolean recursive) throws DkvmException {
        long hash = FNV_OFFSET;
        int hashed = source.contains(VolumeParts.PARTS) ? 0 : source.length();
        for (int i = 0; i < hashed; i++) {
            hash = (hash ^ source.charAt(i)) * FNV_PRIME;
        }
        try {
            Map<String, Object> file = Files.readAttributes(Path.of(source), "unix:dev,ino");
            String name = Long.toHexString(hash) + "." + hex(file.get("dev")) + "." + hex(file.get("ino")) + "."
                    + kind(flags, recursive);
            return new Slot(PodVolumes.SLOTS + name, flags, recursive, source);
        } catch (IOException e) {
            throw new DkvmException("volume \"" + source + "\" can not be looked at: " + e, "", e);
        }
    }

    /** How the name of a volume's slot ends. */
    static String kind(long flags, boolean recursive) {
        return Long.toHexString(flags) + (recursive ? "r" : "");
    }

    private static String hex(@Nullable Object number) {
        return number instanceof Number known ? Long.toHexString(known.longValue()) : "0";
    }

    private GuestMount moved(GuestMount mount) throws DkvmException {
        return switch (mount.kind()) {
            case SLOT -> ofSlot(mount);
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

    private GuestMount ofSlot(GuestMount mount) {
        MemoryVolumes.Volume volume = inMemory.get(mount.source());
        if (volume != null) {
            return new GuestMount(
                    GuestMount.Kind.SHARED_FILESYSTEM,
                    mount.target(),
                    volume.name(),
                    "tmpfs",
                    mount.flags() | volume.flags(),
                    volume.data());
        }
        Slot slot = named.get(mount.source());
        VolumeParts.Within within = parts.get(mount.source());
        return new GuestMount(
                mount.kind(),
                mount.target(),
                slot == null ? mount.source() : SHARED + slot.name(),
                within == null ? mount.filesystem() : SHARED + within.volume().name(),
                mount.flags(),
                within == null ? mount.data() : within.inode() + " " + within.path());
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
