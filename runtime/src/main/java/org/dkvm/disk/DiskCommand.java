// SPDX-License-Identifier: Apache-2.0
package org.dkvm.disk;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.SandboxPaths;
import org.dkvm.core.machine.Disk;

/** The command lines of dkvm-disk (native/sandbox/disk/dkvm-disk.c). */
public final class DiskCommand {
    private static final String PROGRAM = SandboxPaths.PACKAGE + "/dkvm-disk";
    /** Above what the programs before it may have left open. */
    private static final int FIRST_DESCRIPTOR = 20;

    private DiskCommand() {}

    /**
     * Makes a disk's file fit for use.
     *
     * @param share the container's root, as the sandbox sees it
     */
    public static List<String> prepare(Disk disk, Path share) {
        Place place = Place.of(disk, share);
        return List.of(
                PROGRAM, "prepare", place.root, place.path, disk.filesystem().label(), Long.toString(disk.bytes()));
    }

    /** Runs a program that has the disks' files open and locked, each as its {@link #descriptor}. */
    public static List<String> run(List<Disk> disks, Path share, List<String> program) {
        List<String> argv = new ArrayList<>(List.of(PROGRAM, "run"));
        for (int i = 0; i < disks.size(); i++) {
            Place place = Place.of(disks.get(i), share);
            argv.add(Integer.toString(descriptor(i)));
            argv.add(place.root);
            argv.add(place.path);
        }
        argv.add("--");
        argv.addAll(program);
        return argv;
    }

    /** The number of a disk's file in the program. */
    public static int descriptor(int index) {
        return FIRST_DESCRIPTOR + index;
    }

    /** A file below a root that links do not lead out of. */
    private record Place(String root, String path) {
        static Place of(Disk disk, Path share) {
            String source = disk.source();
            return source.startsWith(SandboxPaths.DISKS + "/")
                    ? new Place(SandboxPaths.DISKS, source.substring(SandboxPaths.DISKS.length()))
                    : new Place(share.toString(), source);
        }
    }
}
