// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.mounts;

import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.DkvmException;
import org.dkvm.core.SandboxPaths;
import org.dkvm.core.container.GuestMount;
import org.dkvm.core.machine.Disk;
import org.dkvm.json.Json;
import org.dkvm.linux.RootedTree;

/** The disks of {@code DKVM_DISKS} among a container's mounts: where the guest mounts them, and the volumes that their files lie in. */
final class DiskMounts {
    /** What is deleted in a disk is given back to the host. */
    private static final String OPTIONS = "discard";

    private final RootedTree tree;
    private final List<GuestMount> guest;
    private final List<JsonObject> volumes = new ArrayList<>();
    private final List<String> missing = new ArrayList<>();

    /**
     * No disks yet.
     *
     * @param guest what the guest mounts; disks are added to it
     */
    DiskMounts(RootedTree tree, List<GuestMount> guest) {
        this.tree = tree;
        this.guest = guest;
    }

    /** A mount of the container's that only the sandbox makes, for the files of disks in it. */
    void addVolume(JsonObject mount) {
        volumes.add(mount);
    }

    /** What runc mounts for them, in order. */
    List<JsonObject> volumes() {
        List<JsonObject> mounts = new ArrayList<>();
        if (!volumes.isEmpty()) {
            // runc makes mount points there; the sandbox's own root belongs to the package.
            mounts.add(MountPlan.mount(
                    SandboxPaths.DISKS, "tmpfs", "tmpfs", "nosuid", "nodev", "noexec", "mode=755", "size=1m"));
            mounts.addAll(volumes);
        }
        return mounts;
    }

    /** The mount points that the image lacks. */
    List<String> missing() {
        return missing;
    }

    /**
     * Adds a disk below what covers it and above what lies in it, wherever in the spec that is.
     *
     * @return where it is mounted
     */
    String add(Disk disk, String serial) throws DkvmException {
        checkSource(disk);
        String target = diskTarget(disk);
        int at = guest.size();
        for (int i = guest.size() - 1; i >= 0; i--) {
            if (RootedTree.isAtOrBelow(guest.get(i).target(), target)) {
                at = i;
            }
        }
        for (int i = 0; i < guest.size(); i++) {
            if (RootedTree.isAtOrBelow(target, guest.get(i).target())) {
                at = Math.max(at, i + 1);
            }
        }
        guest.add(
                at,
                new GuestMount(
                        GuestMount.Kind.DISK, target, serial, disk.filesystem().label(), 0, OPTIONS));
        tree.addHidden(target);
        return target;
    }

    private String diskTarget(Disk disk) throws DkvmException {
        RootedTree.Found found = tree.find(disk.target());
        String target = MountPlan.resolve(tree, disk.target());
        String problem = problem(found.kind(), target);
        if (!problem.isEmpty()) {
            throw new DkvmException(
                    "disk \"" + disk.source() + "\" can not be mounted on \"" + disk.target() + "\": " + problem,
                    "give another directory in DKVM_DISKS");
        }
        if (found.kind() == RootedTree.Kind.MISSING || found.kind() == RootedTree.Kind.MISSING_IN_EMPTY) {
            missing.add(target);
        }
        return target;
    }

    /** Why nothing can be mounted at the end of a path; empty where it can. */
    private String problem(RootedTree.Kind kind, String target) {
        for (String kernels : List.of("/proc", "/sys", "/dev")) {
            if ("/".equals(target) || RootedTree.isAtOrBelow(target, kernels)) {
                return "it leads to \"" + target + "\"";
            }
        }
        for (GuestMount mount : guest) {
            if (mount.target().equals(target)) {
                return "something else is mounted there";
            }
        }
        return switch (kind) {
            case FILE, OTHER, NOT_A_DIRECTORY, TOO_MANY_LINKS -> "it is not a directory";
            case DIRECTORY, MISSING, MISSING_IN_EMPTY, HIDDEN -> "";
        };
    }

    /** The file must be where the sandbox sees it and where it stays. */
    private void checkSource(Disk disk) throws DkvmException {
        if (!RootedTree.isAtOrBelow(disk.source(), SandboxPaths.DISKS)) {
            if (MountPlan.isBelowFilesystem(guest, tree.find(disk.source()).path())) {
                throw new DkvmException(
                        "disk \"" + disk.source() + "\" lies in a tmpfs, whose content only the VM has",
                        "give a file of the container or of a volume in DKVM_DISKS");
            }
            return;
        }
        for (JsonObject mount : volumes) {
            String destination =
                    MountPlan.clean(Json.string(mount, "destination").orElse(""));
            if (disk.source().startsWith(destination + "/")) {
                return;
            }
        }
        throw new DkvmException(
                "disk \"" + disk.source() + "\" lies in no volume",
                "mount one: --mount=type=volume,src=<name>,dst=" + SandboxPaths.DISKS);
    }
}
