// SPDX-License-Identifier: Apache-2.0
package org.dkvm.vm;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.dkvm.core.ContainerId;
import org.dkvm.core.DkvmException;
import org.dkvm.core.LogLimits;
import org.dkvm.json.Json;
import org.dkvm.linux.AtomicFile;
import org.dkvm.linux.StatePlaces;
import org.dkvm.linux.UserNamespace;

/**
 * A VM's directory on the host, {@code /run/dkvm/vms/<id>} or a user's. create makes it, and dkvm-keep (native/host/keep/dkvm-keep.c) mounts a small filesystem in it for what the sandbox
 * writes down, keeps that at the VM's end, and takes the directory away.
 */
public final class VmPlace {
    /** Where the VMs' directories are. */
    public static final Path DIRECTORY = StatePlaces.run().resolve("vms");

    /** For dkvm-keep: how much is kept, and the options of the log's filesystem. */
    private static final String KEEP_FILE = "keep";

    private static final String LOG = "log";
    private static final String POD = "pod";
    private static final String MEMBER_FILE = "member";

    /** More than the log, the console and the timeline can have, should all be full. */
    private static final String LOG_OPTIONS = "size=2m,nr_inodes=32,mode=700";

    private static final String NAMES_FILE = "config.v2.json";

    private VmPlace() {}

    /** The directory for the log of a VM, on the host. */
    public static Path log(Path vms, ContainerId id) {
        return vms.resolve(id.value()).resolve(LOG);
    }

    /** The directory for the further containers of a pod whose VM it is; dkvm-keep makes it. */
    public static Path pod(Path vms, ContainerId id) {
        return vms.resolve(id.value()).resolve(POD);
    }

    /** The host's word on a VM that is there. */
    public static VmRecord record(Path vms, ContainerId id) throws DkvmException {
        return VmRecord.read(vms.resolve(id.value()).resolve(VmRecord.FILE));
    }

    /**
     * Refuses an engine that is neither the host's root nor a user's with a namespace of users and a place for what is kept, before anything is begun.
     */
    public static void checkUser(Path vms, UserNamespace users) throws DkvmException {
        Path there = vms;
        while (there.getParent() != null && !Files.exists(there)) {
            there = there.getParent();
        }
        if (!Files.isWritable(there)) {
            throw new DkvmException(
                    "\"" + there + "\" is not for this engine to write",
                    "a rootless engine needs XDG_RUNTIME_DIR in its environment, a directory of its user's");
        }
        if (StatePlaces.areUsers() && users.isHosts()) {
            throw new DkvmException(
                    "a user without a user namespace can not start a VM",
                    "have Podman call DKVM: \"podman --runtime .../dkvm-runtime run ...\"; it makes one");
        }
    }

    /**
     * Makes a VM's directory.
     *
     * @param linux the member of that name of the container's spec
     * @param template the key of what the VM is restored from; empty where it boots
     * @param pod what dkvm-keep is told of the pod that it holds, by line; empty where it holds none
     */
    public static void make(
            Path vms, VmRecord vm, JsonObject linux, LogLimits limits, String template, List<String> pod)
            throws DkvmException {
        String label = Json.string(linux, "mountLabel").orElse("");
        String options = label.isEmpty() ? LOG_OPTIONS : LOG_OPTIONS + ",context=\"" + label + "\"";
        Path directory = directory(vms, vm);
        removeMember(directory);
        AtomicFile.replacePrivate(
                directory.resolve(KEEP_FILE),
                limits.vms() + " " + limits.size().bytes() + "\n" + options + "\n"
                        + (template.isEmpty() && pod.isEmpty() ? "" : template + "\n")
                        + (pod.isEmpty() ? "" : String.join("\n", pod) + "\n"));
        AtomicFile.replacePrivate(directory.resolve(VmRecord.FILE), Json.write(vm.toJson()));
    }

    /**
     * Makes the directory of a further container of a pod.
     *
     * @param pod whose
     * @param number the container's in the VM
     * @param slots what dkvm-keep mounts for it
     */
    public static void makeMember(Path vms, VmRecord member, ContainerId pod, int number, List<String> slots)
            throws DkvmException {
        Path directory = directory(vms, member);
        AtomicFile.replacePrivate(directory.resolve(KEEP_FILE), "0 0\n\n");
        AtomicFile.replacePrivate(
                directory.resolve(MEMBER_FILE), pod + "\t" + number + "\n" + String.join("\n", slots) + "\n");
        AtomicFile.replacePrivate(directory.resolve(VmRecord.FILE), Json.write(member.toJson()));
    }

    /** Where a pod's VM has the plan of one of its further containers. */
    public static Path plan(ContainerId id, int number) throws DkvmException {
        Member member =
                member(DIRECTORY, id).orElseThrow(() -> new DkvmException("\"" + id + "\" is in no pod's VM", ""));
        return plan(pod(DIRECTORY, member.pod()), number);
    }

    /** Likewise, in the pod's directory. */
    public static Path plan(Path pod, int number) {
        return pod.resolve("plans").resolve(number + ".json");
    }

    /**
     * A further container of a pod.
     *
     * @param pod the container whose VM it is in
     * @param number its number there
     */
    public record Member(ContainerId pod, int number) {}

    /** Which further container of which pod it is; empty for a VM. */
    public static Optional<Member> member(Path vms, ContainerId id) throws DkvmException {
        Path file = vms.resolve(id.value()).resolve(MEMBER_FILE);
        try {
            String text = Files.readString(file);
            String line = text.substring(0, Math.max(text.indexOf('\n'), 0));
            int tab = Math.max(line.indexOf('\t'), 0);
            return Optional.of(new Member(
                    new ContainerId(line.substring(0, tab)), Integer.parseInt(line, tab + 1, line.length(), 10)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException | IllegalArgumentException | IndexOutOfBoundsException e) {
            throw new DkvmException("\"" + file + "\" does not tell the container's pod: " + e.getMessage(), "", e);
        }
    }

    /** Whether it is a pod's further container, and no VM of its own. */
    public static boolean isMember(Path vms, ContainerId id) {
        return Files.exists(vms.resolve(id.value()).resolve(MEMBER_FILE));
    }

    /** A file of a container that had the id before would make this one that pod's. */
    private static void removeMember(Path directory) throws DkvmException {
        try {
            Files.deleteIfExists(directory.resolve(MEMBER_FILE));
        } catch (IOException e) {
            throw new DkvmException("can not write \"" + directory + "\": " + e, "is /run writable?", e);
        }
    }

    private static Path directory(Path vms, VmRecord vm) throws DkvmException {
        Path directory = vms.resolve(vm.id().value());
        try {
            return Files.createDirectories(directory);
        } catch (IOException e) {
            throw new DkvmException("can not write \"" + directory + "\": " + e, "is /run writable?", e);
        }
    }

    /**
     * What Docker calls a container; empty where it does not tell, as other engines do not.
     *
     * @param spec the container's: its host name's file lies where Docker keeps what it knows of the container
     */
    public static String name(JsonObject spec, ContainerId id) {
        for (JsonObject mount : Json.objects(spec, "mounts")) {
            String source = Json.string(mount, "source").orElse("");
            if (source.endsWith("/" + id + "/hostname")) {
                Path known = Path.of(source).resolveSibling(NAMES_FILE);
                return Files.exists(known) ? nameIn(known) : "";
            }
        }
        return "";
    }

    private static String nameIn(Path file) {
        try {
            Optional<String> name = Json.string(Json.readObject(file), "Name");
            return name.isPresent() ? name.get().substring(name.get().startsWith("/") ? 1 : 0) : "";
        } catch (DkvmException e) {
            // Then it is known by its id.
            return "";
        }
    }
}
