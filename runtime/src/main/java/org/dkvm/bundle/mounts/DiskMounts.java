// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.mounts;

import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.DkvmException;
import org.dkvm.core.SandboxPaths;
import org.dkvm.core.container.GuestMount;
import org.dkvm.core.machine.Disk;
import org.dkvm.core.machine.SandboxFile;
import org.dkvm.linux.RootedTree;

/** The disks of {@code DKVM_DISKS} among a container's mounts: where the guest mounts them, and the volumes that their files lie in. */
final class DiskMounts {
    /** What is deleted in a disk is given back to the host. */
    private static final String OPTIONS = "discard";

    private final RootedTree tree;
    private final List<PlacedMount> guest;
    private final Slots slots = new Slots(SandboxPaths.DISKS);
    private final List<Volume> volumes = new ArrayList<>();

    /**
     * A volume for the files of disks.
     *
     * @param destination where the container has it
     */
    private record Volume(String destination, String slot) {
        boolean isFile() {
            return Slots.isFile(slot);
        }

        boolean has(String path) {
            return isFile() ? path.equals(destination) : path.startsWith(destination + "/");
        }
    }

    /**
     * No disks yet.
     *
     * @param guest what the guest mounts; disks are added to it
     */
    DiskMounts(RootedTree tree, List<PlacedMount> guest) {
        this.tree = tree;
        this.guest = guest;
    }

    /** A mount of the container's that only the sandbox makes, for the files of disks in it. */
    void addVolume(JsonObject mount, String destination, boolean directory) {
        volumes.add(new Volume(destination, slots.add(mount, directory)));
    }

    /**
     * What runc mounts for them, in order.
     *
     * @param directory any, see {@link MountPlan#sealed}
     */
    List<JsonObject> mounts(Path directory) {
        List<JsonObject> mounts = new ArrayList<>();
        if (!volumes.isEmpty()) {
            // runc makes mount points there; the sandbox's own root belongs to the package.
            mounts.add(MountPlan.mount(
                    SandboxPaths.DISKS, "tmpfs", "tmpfs", "nosuid", "nodev", "noexec", "mode=700", "size=64k"));
            mounts.addAll(slots.mounts());
            mounts.add(MountPlan.sealed(SandboxPaths.DISKS, directory));
        }
        return mounts;
    }

    /** Where the sandbox has a file below {@link SandboxPaths#DISKS}: in the volume that is mounted nearest to it. */
    SandboxFile locate(String what, String path) throws DkvmException {
        Volume nearest = new Volume("", "");
        for (Volume volume : volumes) {
            if (volume.has(path) && volume.destination.length() >= nearest.destination.length()) {
                nearest = volume;
            }
        }
        if (nearest.slot.isEmpty()) {
            throw new DkvmException(
                    what + " \"" + path + "\" lies in no volume",
                    "mount one: --mount=type=volume,src=<name>,dst=" + SandboxPaths.DISKS);
        }
        if (nearest.isFile()) {
            return new SandboxFile(SandboxPaths.DISKS, "/" + nearest.slot);
        }
        return new SandboxFile(SandboxPaths.DISKS + "/" + nearest.slot, path.substring(nearest.destination.length()));
    }

    /**
     * Adds a disk below what covers it and above what lies in it, wherever in the spec that is.
     *
     * @return what is where it is mounted
     */
    RootedTree.Found add(Disk disk, String serial) throws DkvmException {
        RootedTree.Found target = target(disk);
        int at = guest.size();
        for (int i = guest.size() - 1; i >= 0; i--) {
            if (RootedTree.isAtOrBelow(guest.get(i).resolved(), target.path())) {
                at = i;
            }
        }
        for (int i = 0; i < guest.size(); i++) {
            if (RootedTree.isAtOrBelow(target.path(), guest.get(i).resolved())) {
                at = Math.max(at, i + 1);
            }
        }
        GuestMount mount = new GuestMount(
                GuestMount.Kind.DISK, disk.target(), serial, disk.filesystem().label(), 0, OPTIONS);
        guest.add(at, new PlacedMount(mount, target.path()));
        return target;
    }

    private RootedTree.Found target(Disk disk) throws DkvmException {
        RootedTree.Found found = tree.find(disk.target());
        String problem = problem(found);
        if (!problem.isEmpty()) {
            throw new DkvmException(
                    "disk \"" + disk.source() + "\" can not be mounted on \"" + disk.target() + "\": " + problem,
                    "give another directory in DKVM_DISKS");
        }
        return found;
    }

    /** Why nothing can be mounted at the end of a path; empty where it can. */
    private String problem(RootedTree.Found found) {
        for (String kernels : List.of("/proc", "/sys", "/dev")) {
            if ("/".equals(found.path()) || RootedTree.isAtOrBelow(found.path(), kernels)) {
                return "it leads to \"" + found.path() + "\"";
            }
        }
        for (PlacedMount placed : guest) {
            if (placed.resolved().equals(found.path())) {
                return "something else is mounted there";
            }
        }
        return switch (found.kind()) {
            case FILE, OTHER, NOT_A_DIRECTORY, TOO_MANY_LINKS -> "it is not a directory";
            case DIRECTORY, MISSING, MISSING_IN_EMPTY, HIDDEN -> "";
        };
    }
}
