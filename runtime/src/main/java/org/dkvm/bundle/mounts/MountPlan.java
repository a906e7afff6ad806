// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.mounts;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.bundle.host.HostView;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.core.SandboxPaths;
import org.dkvm.core.container.GuestMount;
import org.dkvm.core.machine.Disk;
import org.dkvm.json.Json;
import org.dkvm.linux.RootedTree;

/** Which of a container's mounts the sandbox makes and which the guest does (OCI runtime spec, config.md, "mounts"). */
public final class MountPlan {
    /** What engines name the filesystem of /dev/shm; programs read it in /proc/mounts. */
    private static final String SHM = "shm";

    /** Where programs look for a kernel's modules, see modprobe(8). */
    private static final String MODULES = "/lib/modules";

    /** The program behind modprobe(8) where distributions have it. Busybox has one, too: nobody misses modules there. */
    private static final List<String> MODULE_LOADERS = List.of("/bin/kmod", "/usr/bin/kmod", "/sbin/kmod");

    private static final long SHARE_FLAGS =
            MountOptions.RDONLY | MountOptions.NOSUID | MountOptions.NODEV | MountOptions.NOEXEC;

    private final HostView host;
    private final Path bundle;
    private final RootedTree tree;
    private final List<JsonObject> engine = new ArrayList<>();
    private final List<JsonObject> volumes = new ArrayList<>();
    private final List<GuestMount> guest = new ArrayList<>();
    private final DiskMounts disks;
    private final SocketMounts sockets = new SocketMounts();
    /** Volumes that are one file: the share shows them without the agent's doing, unless something of the guest covers them. */
    private final List<Volume> files = new ArrayList<>();

    private record Volume(String target, List<String> options) {}

    private MountPlan(HostView host, Path bundle, RootedTree tree) {
        this.host = host;
        this.bundle = bundle;
        this.tree = tree;
        disks = new DiskMounts(tree, guest);
        tree.addHidden("/proc");
        tree.addHidden("/sys");
        tree.addHidden("/dev");
    }

    /**
     * Sorts the mounts of a spec.
     *
     * @param spec the container's spec as the engine wrote it
     * @param bundle its directory, where relative sources start
     * @param initMount where the engine mounts an init; that mount is left out; empty for none
     * @param disks mounted by the agent, too
     */
    public static MountPlan of(JsonObject spec, Path bundle, String initMount, List<Disk> disks, HostView host)
            throws DkvmException {
        String root = Json.string(Json.objectOrNew(spec, "root"), "path").orElse("rootfs");
        MountPlan plan = new MountPlan(host, bundle, new RootedTree(bundle.resolve(root)));
        for (JsonObject mount : Json.objects(spec, "mounts")) {
            String destination = clean(Json.string(mount, "destination").orElse(""));
            if (!destination.equals(initMount)) {
                plan.add(mount, destination);
            }
        }
        for (int i = 0; i < disks.size(); i++) {
            plan.addDisk(disks.get(i), Disk.serial(i));
        }
        return plan;
    }

    /** The image and its mounts as the workload will see them. */
    public RootedTree tree() {
        return tree;
    }

    /** What the agent mounts. */
    public List<GuestMount> guest() {
        return guest;
    }

    /**
     * Brings a kernel's modules to the guest, read-only. They need a mount point in the image: an image that has neither a directory for modules nor a program to
     * load them is left as it is.
     *
     * @param whole whether they cover {@code /lib/modules}, in any image
     */
    public void addModules(GuestModules modules, boolean whole) throws DkvmException {
        if (!modules.isPresent() || !(whole || wantsModules())) {
            return;
        }
        String directory = resolve(MODULES);
        String target = directory + "/" + modules.release();
        if (whole) {
            volumes.add(emptyDirectory(directory));
            addShare(directory, List.of("ro", "nosuid", "nodev"));
        } else if (isBelowMount(target)) {
            // The user's own word on what is there.
            return;
        }
        volumes.add(mount(
                SandboxPaths.SHARE + target,
                "bind",
                modules.directory().toString(),
                "bind",
                "rprivate",
                "ro",
                "nosuid",
                "nodev",
                "noexec"));
        addShare(target, List.of("ro", "nosuid", "nodev"));
    }

    private boolean wantsModules() {
        if (tree.find(MODULES).kind() == RootedTree.Kind.DIRECTORY) {
            return true;
        }
        for (String loader : MODULE_LOADERS) {
            if (tree.find(loader).kind() == RootedTree.Kind.FILE) {
                return true;
            }
        }
        return false;
    }

    private boolean isBelowMount(String target) {
        for (JsonObject volume : volumes) {
            String destination = Json.string(volume, "destination").orElse("");
            if (RootedTree.isAtOrBelow(SandboxPaths.SHARE + target, destination)) {
                return true;
            }
        }
        return isBelowFilesystem(guest, target);
    }

    /** What runc mounts in the sandbox, in order. */
    public JsonArray sandbox(Path plan, String log, Path kernel, Path rootfs, boolean readOnly) {
        JsonArray mounts = new JsonArray();
        engine.forEach(mounts::add);
        mounts.add(mount("/run", "tmpfs", "tmpfs", "nosuid", "nodev", "noexec", "mode=755", "size=16m"));
        mounts.add(mount("/tmp", "tmpfs", "tmpfs", "nosuid", "nodev", "noexec", "mode=1777", "size=16m"));
        mounts.add(mount(
                SandboxPaths.PLAN, "bind", plan.toString(), "bind", "rprivate", "ro", "nosuid", "nodev", "noexec"));
        // The host's, and bounded, so that it outlives the sandbox: see docs/adr/0021-logs-outlive-the-vm.md.
        mounts.add(
                log.isEmpty()
                        ? mount(SandboxPaths.LOG, "tmpfs", "tmpfs", "nosuid", "nodev", "noexec", "mode=700", "size=2m")
                        : mount(SandboxPaths.LOG, "bind", log, "bind", "rprivate", "nosuid", "nodev", "noexec"));
        mounts.add(mount(
                SandboxPaths.KERNEL, "bind", kernel.toString(), "bind", "rprivate", "ro", "nosuid", "nodev", "noexec"));
        mounts.add(mount(SandboxPaths.SHARE, "bind", rootfs.toString(), "rbind", "rprivate", "nosuid", "nodev"));
        if (readOnly) {
            // Docker makes these in every image; containerd leaves it to runc, which would make them in the sandbox.
            for (String place : List.of("/proc", "/sys", "/dev")) {
                if (host.kindOf(rootfs + place) == HostView.SourceKind.MISSING) {
                    mounts.add(emptyDirectory(place));
                }
            }
            addPlaceholders(mounts);
        }
        volumes.forEach(mounts::add);
        sockets.mounts().forEach(mounts::add);
        disks.volumes().forEach(mounts::add);
        if (readOnly) {
            // Last, as mount points that the image lacks are made before; volumes in it keep their own mode.
            mounts.add(
                    mount(SandboxPaths.SHARE, "bind", rootfs.toString(), "bind", "remount", "ro", "nosuid", "nodev"));
        }
        return mounts;
    }

    /** The guest can make no mount point in a read-only root: runc makes them, for an empty tmpfs that the guest's covers. */
    private void addPlaceholders(JsonArray mounts) {
        for (GuestMount mount : guest) {
            boolean lacks = mount.kind() == GuestMount.Kind.FILESYSTEM
                    || disks.missing().contains(mount.target());
            if (lacks && !RootedTree.isAtOrBelow(mount.target(), "/dev")) {
                mounts.add(emptyDirectory(mount.target()));
            }
        }
    }

    /** A tmpfs in the share that takes no more than mount points. */
    private static JsonObject emptyDirectory(String target) {
        return mount(
                SandboxPaths.SHARE + target, "tmpfs", "tmpfs", "nosuid", "nodev", "noexec", "mode=755", "size=64k");
    }

    private void add(JsonObject mount, String destination) throws DkvmException {
        String type = Json.string(mount, "type").orElse("");
        List<String> options = Json.strings(mount, "options");
        boolean bind = "bind".equals(type) || options.contains("bind") || options.contains("rbind");
        switch (destination) {
            case "/proc", "/dev", "/dev/pts" -> {
                if (!bind) {
                    engine.add(mount);
                    return;
                }
            }
            case "/sys" -> {
                engine.add(mount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"));
                return;
            }
            case "/sys/fs/cgroup", "/dev/mqueue" -> {
                return;
            }
            case "/dev/shm" -> {
                addSharedMemory(mount, bind, options);
                return;
            }
            default -> {}
        }
        if (RootedTree.isAtOrBelow(destination, "/proc")) {
            throw new DkvmException("\"" + destination + "\" cannot be mounted because it is inside /proc", "");
        }
        if (bind) {
            addBind(mount, destination, options);
        } else if ("tmpfs".equals(type) || "ramfs".equals(type)) {
            addTmpfs(type, type, resolve(destination), options);
        } else {
            addFilesystem(mount, type, destination, options);
        }
    }

    private void addSharedMemory(JsonObject mount, boolean bind, List<String> options) {
        if (!bind) {
            addTmpfs("tmpfs", SHM, "/dev/shm", options);
            return;
        }
        // Docker (--ipc shareable) and Podman make the tmpfs themselves: a VM can not share it, its size is what
        // counts.
        MemorySize size = host.filesystemSize(Json.string(mount, "source").orElse(""));
        addTmpfs("tmpfs", SHM, "/dev/shm", List.of("nosuid", "noexec", "nodev", "mode=1777", "size=" + size.bytes()));
    }

    private void addTmpfs(String type, String source, String target, List<String> options) {
        MountOptions parsed = MountOptions.parse(options);
        guest.add(new GuestMount(GuestMount.Kind.FILESYSTEM, target, source, type, parsed.flags(), parsed.data()));
        tree.addHidden(target);
    }

    private void addBind(JsonObject mount, String destination, List<String> options) throws DkvmException {
        Path source = bundle.resolve(Json.string(mount, "source").orElse(""));
        HostView.SourceKind kind = host.kindOf(source.toString());
        switch (kind) {
            case SOCKET -> {
                addSocket(mount, source, resolve(destination), options);
                return;
            }
            case DEVICE ->
                throw new DkvmException("mounting the device \"" + source + "\" into a VM is not supported yet", "");
            case DIRECTORY, FILE, MISSING -> {}
        }
        if (RootedTree.isAtOrBelow(destination, SandboxPaths.DISKS)) {
            disks.addVolume(mount);
            return;
        }
        String target = resolve(destination);
        volumes.add(moved(mount, target));
        if (kind == HostView.SourceKind.DIRECTORY || isBelowFilesystem(guest, target)) {
            addShare(target, options);
        } else {
            files.add(new Volume(target, options));
        }
        tree.addBind(target, source);
    }

    /** The guest gets a socket of the agent's making at the same place, and the sandbox the real one, to connect to. */
    private void addSocket(JsonObject mount, Path source, String target, List<String> options) throws DkvmException {
        String number = sockets.add(source);
        if (!isBelowFilesystem(guest, target) && !RootedTree.isAtOrBelow(target, "/dev")) {
            // So runc makes the mount point, where a container would have one.
            volumes.add(moved(mount, target));
        }
        long flags = MountOptions.parse(options).flags() & SHARE_FLAGS;
        guest.add(new GuestMount(GuestMount.Kind.SOCKET, target, number, "", flags, ""));
        tree.addHidden(target);
    }

    /** A filesystem that the engine lets runc mount, such as Podman's overlay volumes: mounted in the sandbox, shared like a volume. */
    private void addFilesystem(JsonObject mount, String type, String destination, List<String> options)
            throws DkvmException {
        switch (type) {
            case "proc", "sysfs", "devpts", "devtmpfs", "mqueue", "cgroup", "cgroup2" ->
                throw new DkvmException(
                        "mounting a filesystem of type \"" + type + "\" at \"" + destination
                                + "\" is not supported yet",
                        "");
            default -> {}
        }
        String target = resolve(destination);
        volumes.add(moved(mount, target));
        addShare(target, options);
        tree.addHidden(target);
    }

    private void addDisk(Disk disk, String serial) throws DkvmException {
        String target = disks.add(disk, serial);
        for (Volume file : files) {
            if (RootedTree.isAtOrBelow(file.target, target)) {
                addShare(file.target, file.options);
            }
        }
    }

    private void addShare(String target, List<String> options) {
        long flags = MountOptions.parse(options).flags() & SHARE_FLAGS;
        guest.add(new GuestMount(GuestMount.Kind.SHARE, target, "", "", flags, ""));
    }

    /** Whether a tmpfs of the guest covers the place: the agent must bring the share's file there. */
    static boolean isBelowFilesystem(List<GuestMount> guest, String target) {
        for (GuestMount mount : guest) {
            if (mount.kind() == GuestMount.Kind.FILESYSTEM && RootedTree.isAtOrBelow(target, mount.target())) {
                return true;
            }
        }
        return false;
    }

    private String resolve(String destination) throws DkvmException {
        return resolve(tree, destination);
    }

    /** The mount point without links: runc would resolve them against the sandbox's root. */
    static String resolve(RootedTree tree, String destination) throws DkvmException {
        RootedTree.Found found = tree.find(destination);
        if (found.kind() == RootedTree.Kind.TOO_MANY_LINKS) {
            throw new DkvmException(
                    "mount point \"" + destination + "\": too many levels of symbolic links in the image", "");
        }
        return found.path();
    }

    private static JsonObject moved(JsonObject mount, String target) {
        JsonObject moved = mount.deepCopy();
        moved.addProperty("destination", SandboxPaths.SHARE + target);
        return moved;
    }

    static JsonObject mount(String destination, String type, String source, String... options) {
        JsonObject mount = new JsonObject();
        mount.addProperty("destination", destination);
        mount.addProperty("type", type);
        mount.addProperty("source", source);
        mount.add("options", Json.arrayOf(List.of(options)));
        return mount;
    }

    /** Absolute, without empty names, {@code .} and {@code ..}. */
    static String clean(String path) {
        List<String> names = new ArrayList<>();
        for (String name : path.split("/", -1)) {
            if ("..".equals(name)) {
                if (!names.isEmpty()) {
                    names.removeLast();
                }
            } else if (!name.isEmpty() && !".".equals(name)) {
                names.add(name);
            }
        }
        return "/" + String.join("/", names);
    }
}
