// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.mounts;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dkvm.core.DkvmException;
import org.dkvm.linux.MountTable;

/**
 * Parts of volumes ({@code subPath}), which a kubelet mounts at paths of their own: a part is shown in the guest as a directory of the volume's filesystem, where the VM has that, so that
 * FIFOs, sockets, locks and maps are those of whoever has the volume. The kernel tells where it lies in the volume; no name in the volume is looked up on the host. In the guest it counts only
 * if what is there by that path has the inode number that it has here.
 */
record VolumeParts(PodVolumes pod) {
    /** In the path of each. */
    static final String PARTS = "/volume-subpaths/";

    private static final Pattern PART = Pattern.compile("(/.*/pods/[^/]+)" + PARTS + "([^/]+)/.+");

    /** Bytes of a path and a number, which go to the guest as a mount's options. */
    private static final int MOST = 4000;

    /**
     * Where a part lies.
     *
     * @param volume the slot of the volume
     * @param path from the volume's directory
     */
    record Within(MemberSlots.Slot volume, String path, long inode) {}

    /** A directory without regard to where it is mounted. */
    private record Place(String device, String path) {
        /** From a directory of the same filesystem; empty where it is not below it. */
        String from(Place top) {
            String prefix = "/".equals(top.path) ? "/" : top.path + "/";
            // Behind what is not there any more the kernel puts "//deleted".
            boolean below = device.equals(top.device) && path.startsWith(prefix) && !path.contains("//");
            return below ? path.substring(prefix.length()) : "";
        }
    }

    /**
     * Looks for a part in its volume.
     *
     * @param own all that the container has
     */
    Optional<Within> find(MemberSlots.Slot slot, Collection<MemberSlots.Slot> own) throws DkvmException {
        Matcher matcher = PART.matcher(slot.source());
        if (!slot.name().startsWith(PodVolumes.SLOTS) || !matcher.matches()) {
            return Optional.empty();
        }
        List<MountTable.Mount> mounts = pod.host().mounts();
        Optional<Place> part = place(slot.source(), mounts);
        if (part.isEmpty()) {
            return Optional.empty();
        }
        Optional<Within> found = Optional.empty();
        for (MemberSlots.Slot volume : volumes(slot, matcher, own, mounts)) {
            String path = place(volume.source(), mounts).map(part.get()::from).orElse("");
            boolean fits = !path.isEmpty() && path.getBytes(StandardCharsets.UTF_8).length < MOST;
            if (fits && (found.isEmpty() || path.length() < found.get().path().length())) {
                found = Optional.of(new Within(volume, path, inode(slot.source())));
            }
        }
        return found;
    }

    /** The volumes that it may be a part of, with its flags: an {@code emptyDir} is the pod's in any case; any other the VM has, or has not. */
    private List<MemberSlots.Slot> volumes(
            MemberSlots.Slot slot, Matcher matcher, Collection<MemberSlots.Slot> own, List<MountTable.Mount> mounts)
            throws DkvmException {
        List<MemberSlots.Slot> volumes = new ArrayList<>();
        long writable = slot.flags() & ~MountOptions.RDONLY;
        String emptyDir = matcher.group(1) + MemoryVolumes.EMPTY_DIRS + matcher.group(2);
        if (pod.isPodsOwn(emptyDir) && Files.isDirectory(Path.of(emptyDir))) {
            volumes.add(MemberSlots.volume(emptyDir, writable, slot.recursive()));
        }
        for (MemberSlots.Slot other : own) {
            boolean alike = other.flags() == writable || other.flags() == slot.flags();
            if (alike
                    && other.name().startsWith(PodVolumes.SLOTS)
                    && !other.source().contains(PARTS)) {
                volumes.add(other);
            }
        }
        String share = pod.share().resolve(PodVolumes.SLOTS) + "/";
        for (MountTable.Mount mount : mounts) {
            String name = mount.point().startsWith(share) ? mount.point().substring(share.length()) : "/";
            for (long flags : new long[] {writable, slot.flags()}) {
                if (name.indexOf('/') < 0 && name.endsWith("." + MemberSlots.kind(flags, slot.recursive()))) {
                    volumes.add(new MemberSlots.Slot(PodVolumes.SLOTS + name, flags, slot.recursive(), mount.point()));
                }
            }
        }
        return volumes;
    }

    /** By the last of the nearest mounts. */
    private static Optional<Place> place(String path, List<MountTable.Mount> mounts) {
        Optional<MountTable.Mount> nearest = Optional.empty();
        try {
            Path real = Path.of(path).toRealPath();
            int names = -1;
            for (MountTable.Mount mount : mounts) {
                Path point = Path.of(mount.point());
                if (real.startsWith(point) && point.getNameCount() >= names) {
                    nearest = Optional.of(mount);
                    names = point.getNameCount();
                }
            }
            return nearest.map(mount -> place(mount, real));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static Place place(MountTable.Mount mount, Path real) {
        String root = "/".equals(mount.root()) ? "" : mount.root();
        String rest = real.toString()
                .substring("/".equals(mount.point()) ? 0 : mount.point().length());
        String path = root + ("/".equals(rest) ? "" : rest);
        return new Place(mount.device(), path.isEmpty() ? "/" : path);
    }

    private static long inode(String source) throws DkvmException {
        try {
            return Files.getAttribute(Path.of(source), "unix:ino") instanceof Number number ? number.longValue() : 0;
        } catch (IOException e) {
            throw new DkvmException("volume \"" + source + "\" can not be looked at: " + e, "", e);
        }
    }
}
