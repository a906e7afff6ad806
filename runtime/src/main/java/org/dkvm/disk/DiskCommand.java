// SPDX-License-Identifier: Apache-2.0
package org.dkvm.disk;

import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.SandboxPaths;
import org.dkvm.core.machine.Descriptor;
import org.dkvm.core.machine.Disk;
import org.dkvm.core.machine.SandboxFile;

/** The command lines of dkvm-disk (native/sandbox/disk/dkvm-disk.c). */
public final class DiskCommand {
    private static final String PROGRAM = SandboxPaths.PACKAGE + "/dkvm-disk";
    /** Above what QEMU has of others: see QemuDescriptors. */
    private static final int FIRST_DESCRIPTOR = 20;

    private DiskCommand() {}

    /**
     * Makes a disk's file fit for use.
     *
     * @param file where the sandbox has it
     */
    public static List<String> prepare(Disk disk, SandboxFile file) {
        return List.of(
                PROGRAM, "prepare", file.root(), file.path(), disk.filesystem().label(), Long.toString(disk.bytes()));
    }

    /** Prints a file's first line, whoever may read that file. */
    public static List<String> line(SandboxFile file) {
        return List.of(PROGRAM, "line", file.root(), file.path());
    }

    /** The disks' files, each open and locked in the program that has it, as its {@link #descriptor}. */
    public static List<Descriptor> files(List<SandboxFile> files) {
        List<Descriptor> descriptors = new ArrayList<>();
        for (int i = 0; i < files.size(); i++) {
            descriptors.add(new Descriptor.DiskFile(
                    descriptor(i), files.get(i).root(), files.get(i).path()));
        }
        return descriptors;
    }

    /** The number of a disk's file in the program. */
    public static int descriptor(int index) {
        return FIRST_DESCRIPTOR + index;
    }
}
