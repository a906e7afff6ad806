// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.mounts;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.dkvm.bundle.host.HostView;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.core.SandboxPaths;
import org.dkvm.core.container.GuestMount;
import org.dkvm.core.machine.Disk;
import org.dkvm.core.machine.SandboxFile;
import org.dkvm.json.Json;
import org.dkvm.linux.RootedTree;

/** Which of a container's mounts the sandbox makes and which the guest does (OCI runtime spec, config.md, "mounts"). */
public final class MountPlan {
    /** What engines name the filesystem of /dev/shm; programs read it in /proc/mounts. */
    private static final String SHM = "shm";

    /** The kernel's default. See tmpfs(5). */
    private static final String TMPFS_MODE = "mode=1777";

    /** Where programs look for a kernel's modules, see modprobe(8). */
    private static final String MODULES = "/lib/modules";

    /** The program behind modprobe(8) where distributions have it. Busybox has one, too: nobody misses modules there. */
    private static final List<String> MODULE_LOADERS = List.of("/bin/kmod", "/usr/bin/kmod", "/sbin/kmod");

    /** Those of mount(2) that a slot's mount has. */
    static final long SLOT_FLAGS = MountOptions.RDONLY
            | MountOptions.NOSUID
            | MountOptions.NODEV
            | MountOptions.NOEXEC
            | MountOptions.NOATIME
            | MountOptions.NODIRATIME
            | MountOptions.RELATIME
            | MountOptions.STRICTATIME;

    /** The host's own control groups are not the guest's. */
    private static final String CGROUPS = "/sys/fs/cgroup";

    private final HostView host;
    private final Path bundle;
    private final RootedTree tree;
    private final boolean rootReadOnly;
    private final Slots slots = new Slots(SandboxPaths.SHARE);
    private final List<PlacedMount> guest = new ArrayList<>();
    private final List<MountPoint> missing = new ArrayList<>();
    /** By the number that the tree gives a mount: where the sandbox has the same; empty where only the guest has it. */
    private final List<Optional<SandboxFile>> places = new ArrayList<>();

    private final Map<String, SandboxFile> files = new LinkedHashMap<>();
    private final DiskMounts disks;
    private final SocketMounts sockets = new SocketMounts();
    private final List<JsonObject> pod = new ArrayList<>();

    /**
     * What a mount needs in the image's root.
     *
     * @param path without links
     * @param directory whether it is a directory, and not a file
     */
    public record MountPoint(String path, boolean directory) {}

    private MountPlan(HostView host, Path bundle, RootedTree tree, boolean rootReadOnly) {
        this.host = host;
        this.bundle = bundle;
        this.tree = tree;
        this.rootReadOnly = rootReadOnly;
        disks = new DiskMounts(tree, guest);
        for (String kernels : List.of("/proc", "/sys", "/dev")) {
            needs(tree.find(kernels), true);
            hide(kernels);
        }
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
        JsonObject root = Json.objectOrNew(spec, "root");
        String path = Json.string(root, "path").orElse("rootfs");
        RootedTree tree = new RootedTree(bundle.resolve(path), host.reader());
        MountPlan plan = new MountPlan(host, bundle, tree, Json.isTrue(root, "readonly"));
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

    /** What the agent mounts, in order. */
    public List<GuestMount> guest() {
        List<GuestMount> mounts = new ArrayList<>(guest.size());
        for (PlacedMount placed : guest) {
            mounts.add(placed.mount());
        }
        return mounts;
    }

    /** The mount points that the image's root lacks, in order; the guest can make none in a root that is read-only. */
    public List<MountPoint> missing() {
        return missing;
    }

    /** The workload's directory is made where it is missing, as runc does it. */
    public void addWorkingDirectory(String path) {
        needs(tree.find(path), true);
    }

    /**
     * The sandbox opens a file of the container, which may be missing. Links on the way are followed as far as they can be seen from here; the last name is taken as it stands.
     *
     * @param what the file is, for the message
     */
    public void addFile(String what, String path) throws DkvmException {
        files.put(path, locate(what, path));
    }

    /** The files that the sandbox opens, by their paths in the container. */
    public Map<String, SandboxFile> files() {
        return files;
    }

    private SandboxFile locate(String what, String path) throws DkvmException {
        if (RootedTree.isAtOrBelow(path, SandboxPaths.DISKS)) {
            return disks.locate(what, path);
        }
        int slash = path.lastIndexOf('/');
        String parent = tree.find(path.substring(0, slash + 1)).path();
        String resolved = ("/".equals(parent) ? "" : parent) + path.substring(slash);
        int mount = tree.mountOf(resolved);
        if (mount < 0) {
            return new SandboxFile(SandboxPaths.ROOT, resolved);
        }
        SandboxFile place = places.get(mount)
                .orElseThrow(() -> new DkvmException(
                        what + " \"" + path + "\" lies in a filesystem whose content only the VM has",
                        "give a file of the container or of a volume"));
        String below = resolved.substring(tree.targetOf(mount).length());
        return below.isEmpty() ? place : new SandboxFile(place.root() + place.path(), below);
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
        String target = MODULES + "/" + modules.release();
        if (whole) {
            addTmpfs("tmpfs", "tmpfs", MODULES, List.of("nosuid", "nodev", "noexec", "mode=755", "size=64k"));
        } else if (tree.mountOf(tree.find(target).path()) >= 0) {
            // The user's own word on what is there.
            return;
        }
        JsonObject mount = mount(
                target, "bind", modules.directory().toString(), "bind", "rprivate", "ro", "nosuid", "nodev", "noexec");
        RootedTree.Found found = addSlot(mount, target, List.of("ro", "nosuid", "nodev"), true);
        tree.addBind(found.path(), modules.directory());
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

    /** What has a slot, as the engine wrote it but for the destination, which ends with the slot's name. */
    public List<JsonObject> slots() {
        return slots.mounts();
    }

    /**
     * The VM is a pod's: what its further containers bring comes by a directory.
     *
     * @param directory the pod's on the host, which dkvm-keep makes
     */
    public void addPod(Path directory) {
        pod.add(mount(
                SandboxPaths.POD,
                "bind",
                directory.resolve("socket").toString(),
                "bind",
                "rprivate",
                "nosuid",
                "nodev",
                "noexec"));
        pod.add(readOnly(SandboxPaths.PLANS, directory.resolve("plans")));
        pod.add(mount(
                SandboxPaths.POD_SHARE,
                "bind",
                directory.resolve("share").toString(),
                "rbind",
                "rslave",
                "ro",
                "nosuid",
                "nodev"));
    }

    /** What runc mounts in the thin sandbox of a pod's further container: the pod's session socket, and nothing of the container's. */
    public static JsonArray ofMember(Path pod) {
        JsonArray mounts = new JsonArray();
        addKernels(mounts);
        mounts.add(mount("/run", "tmpfs", "tmpfs", "nosuid", "nodev", "noexec", "mode=755", "size=64k"));
        mounts.add(readOnly(SandboxPaths.RUN, pod.resolve("socket")));
        return mounts;
    }

    /** What runc mounts in the sandbox, in order. */
    public JsonArray sandbox(Path plan, String log, Path kernel, Path rootfs, boolean readOnly) {
        JsonArray mounts = new JsonArray();
        addKernels(mounts);
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
        addShare(mounts, rootfs, readOnly);
        sockets.mounts().forEach(mounts::add);
        disks.mounts(rootfs).forEach(mounts::add);
        return mounts;
    }

    /**
     * The kernel's filesystems, whatever the engine has at their places: where it mounts no {@code /dev}, as for an image with a volume there, runc would make devices in the
     * sandbox's root, which is the package's on the host. In {@code /proc} only root's group sees processes of others: the monitor looks at virtiofsd's.
     */
    private static void addKernels(JsonArray mounts) {
        mounts.add(mount("/proc", "proc", "proc", "nosuid", "noexec", "nodev", "hidepid=2"));
        mounts.add(mount("/dev", "tmpfs", "tmpfs", "nosuid", "noexec", "strictatime", "mode=755", "size=64k"));
        mounts.add(mount(
                "/dev/pts",
                "devpts",
                "devpts",
                "nosuid",
                "noexec",
                "newinstance",
                "ptmxmode=0666",
                "mode=0620",
                "gid=5"));
        mounts.add(mount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"));
    }

    /** A filesystem with nothing in it but the slots, which runc makes; then nobody writes to it any more. */
    private void addShare(JsonArray mounts, Path rootfs, boolean readOnly) {
        mounts.add(mount(SandboxPaths.SHARE, "tmpfs", "tmpfs", "nosuid", "nodev", "noexec", "mode=700", "size=64k"));
        List<String> options = new ArrayList<>(List.of("rbind", "rprivate", "nosuid", "nodev"));
        if (readOnly) {
            options.add("ro");
        }
        mounts.add(mount(SandboxPaths.ROOT, "bind", rootfs.toString(), options.toArray(new String[0])));
        slots.mounts().forEach(mounts::add);
        pod.forEach(mounts::add);
        mounts.add(sealed(SandboxPaths.SHARE, rootfs));
    }

    /** A directory of the host that nobody in the sandbox writes to. */
    public static JsonObject readOnly(String destination, Path source) {
        return mount(destination, "bind", source.toString(), "bind", "rprivate", "ro", "nosuid", "nodev", "noexec");
    }

    /** Room for QEMU's two sockets and nothing else, which one other user may connect to: what is made there is of its group. */
    public static JsonObject screen(long qemu, long server) {
        return mount(
                SandboxPaths.SCREEN,
                "tmpfs",
                "tmpfs",
                "nosuid",
                "nodev",
                "noexec",
                "mode=2710",
                "uid=" + qemu,
                "gid=" + server,
                "size=4k",
                "nr_inodes=4");
    }

    /** Makes a filesystem read-only that runc has made mount points in. What runc is told for a source only has to be a directory. */
    static JsonObject sealed(String point, Path directory) {
        return mount(point, "bind", directory.toString(), "bind", "remount", "ro", "nosuid", "nodev", "noexec");
    }

    private void add(JsonObject mount, String destination) throws DkvmException {
        String type = Json.string(mount, "type").orElse("");
        List<String> options = Json.strings(mount, "options");
        boolean bind = "bind".equals(type) || options.contains("bind") || options.contains("rbind");
        String source = Json.string(mount, "source").orElse("");
        switch (destination) {
            case "/" ->
                throw new DkvmException(
                        "mounting \"" + source + "\" at \"/\" is not supported: that is the image's root", "");
            case "/proc", "/dev", "/dev/pts" -> {
                if (!bind) {
                    return;
                }
            }
            case "/sys" -> {
                return;
            }
            case CGROUPS -> {
                if (!bind || RootedTree.isAtOrBelow(source, CGROUPS)) {
                    return;
                }
            }
            case "/dev/mqueue" -> {
                if (!bind) {
                    return;
                }
            }
            case "/dev/shm" -> {
                if (!bind || host.isSharedMemory(source)) {
                    addSharedMemory(bind, source, options);
                    return;
                }
            }
            default -> {}
        }
        if (RootedTree.isAtOrBelow(destination, "/proc")) {
            throw new DkvmException("\"" + destination + "\" cannot be mounted because it is inside /proc", "");
        }
        if (bind) {
            addBind(mount, destination, options);
        } else if ("tmpfs".equals(type) || "ramfs".equals(type)) {
            addTmpfs(type, type, destination, options);
        } else {
            addFilesystem(mount, type, destination, options);
        }
    }

    private void addSharedMemory(boolean bind, String source, List<String> options) throws DkvmException {
        if (!bind) {
            addTmpfs("tmpfs", SHM, "/dev/shm", options);
            return;
        }
        // Docker (--ipc shareable) and Podman make the tmpfs themselves: a VM can not share it, its size is what
        // counts.
        MemorySize size = host.filesystemSize(source);
        addTmpfs("tmpfs", SHM, "/dev/shm", List.of("nosuid", "noexec", "nodev", "mode=1777", "size=" + size.bytes()));
    }

    private void addTmpfs(String type, String source, String target, List<String> options) throws DkvmException {
        MountOptions parsed = MountOptions.parse(options);
        RootedTree.Found found = found(target);
        String data = parsed.data();
        if (needs(found, true) && rootReadOnly) {
            // As runc: a tmpfs has the mode of the directory that it covers, or else its own default. The guest finds
            // the one that is made for it, and can not tell. Options that come later count.
            data = TMPFS_MODE + (data.isEmpty() ? "" : ",") + data;
        }
        guest.add(new PlacedMount(
                new GuestMount(GuestMount.Kind.FILESYSTEM, target, source, type, parsed.flags(), data), found.path()));
        hide(found.path());
    }

    private void addBind(JsonObject mount, String destination, List<String> options) throws DkvmException {
        Path source = bundle.resolve(Json.string(mount, "source").orElse(""));
        HostView.SourceKind kind = host.kindOf(source.toString());
        String sizeless = host.sizeless(source.toString());
        if (!sizeless.isEmpty()) {
            throw new DkvmException(
                    "mounting \"" + source + "\" into a VM is not supported: files of a filesystem of type \""
                            + sizeless + "\" have no size, and would be empty there",
                    "a VM has a /proc and control groups of its own; run what looks at the host's under runc");
        }
        switch (kind) {
            case SOCKET -> addSocket(source, destination, options);
            case DEVICE ->
                throw new DkvmException(
                        "mounting the device \"" + source + "\" into a VM is not supported yet",
                        host.isUsers()
                                ? "a rootless engine mounts what --device names: call the engine as root, or leave it out"
                                : "");
            case DIRECTORY, FILE, MISSING -> {
                boolean directory = kind != HostView.SourceKind.FILE;
                if (RootedTree.isAtOrBelow(destination, SandboxPaths.DISKS)) {
                    disks.addVolume(mount, destination, directory);
                } else {
                    RootedTree.Found found = addSlot(mount, destination, options, directory);
                    if (isPodsVolume(source.toString()) && MemoryVolumes.mayBe(source.toString(), host)) {
                        tree.addHidden(found.path());
                    } else {
                        tree.addBind(found.path(), source);
                    }
                }
            }
        }
    }

    /** Whether it is worth a closer look. */
    static boolean isPodsVolume(String source) {
        return source.contains(MemoryVolumes.EMPTY_DIRS) || source.contains(VolumeParts.PARTS);
    }

    /** The guest gets a socket of the agent's making at the same place, and the sandbox the real one, to connect to. */
    private void addSocket(Path source, String target, List<String> options) throws DkvmException {
        String number = sockets.add(source);
        RootedTree.Found found = found(target);
        guest.add(new PlacedMount(
                new GuestMount(GuestMount.Kind.SOCKET, target, number, "", flags(options), ""), found.path()));
        needs(found, false);
        hide(found.path());
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
        RootedTree.Found found = addSlot(mount, destination, options, true);
        tree.addHidden(found.path());
    }

    /** The caller tells the tree. */
    private RootedTree.Found addSlot(JsonObject mount, String target, List<String> options, boolean directory)
            throws DkvmException {
        RootedTree.Found found = found(target);
        String slot = slots.add(mount, directory);
        guest.add(new PlacedMount(
                new GuestMount(GuestMount.Kind.SLOT, target, slot, "", flags(options), ""), found.path()));
        needs(found, directory);
        places.add(Optional.of(new SandboxFile(SandboxPaths.SHARE, "/" + slot)));
        return found;
    }

    private void addDisk(Disk disk, String serial) throws DkvmException {
        addFile("disk", disk.source());
        RootedTree.Found found = disks.add(disk, serial);
        needs(found, true);
        hide(found.path());
    }

    private void hide(String target) {
        tree.addHidden(target);
        places.add(Optional.empty());
    }

    /** Whether the image's root, and nothing that is mounted, lacks a mount point. */
    private boolean needs(RootedTree.Found found, boolean directory) {
        boolean missesName =
                found.kind() == RootedTree.Kind.MISSING || found.kind() == RootedTree.Kind.MISSING_IN_EMPTY;
        boolean lacks = missesName && tree.mountOf(found.path()) < 0;
        if (lacks) {
            missing.add(new MountPoint(found.path(), directory));
        }
        return lacks;
    }

    private static long flags(List<String> options) {
        return MountOptions.parse(options).flags() & SLOT_FLAGS;
    }

    private RootedTree.Found found(String destination) throws DkvmException {
        RootedTree.Found found = tree.find(destination);
        if (found.kind() == RootedTree.Kind.TOO_MANY_LINKS) {
            throw new DkvmException(
                    "mount point \"" + destination + "\": too many levels of symbolic links in the image", "");
        }
        return found;
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
