// SPDX-License-Identifier: Apache-2.0
package org.dkvm.disk;

import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.SandboxPaths;
import org.dkvm.core.machine.Disk;
import org.dkvm.core.machine.SandboxFile;

/** The command lines of dkvm-disk (native/sandbox/disk/dkvm-disk.c). */
public final class DiskCommand {
    private static final String PROGRAM = SandboxPaths.PACKAGE + "/dkvm-disk";
    /** Above what the programs before it may have left open. */
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

    /** Runs a program that has the disks' files open and locked, each as its {@link #descriptor}. */
    public static List<String> run(List<SandboxFile> files, List<String> program) {
        List<String> argv = new ArrayList<>(List.of(PROGRAM, "run"));
        for (int i = 0; i < files.size(); i++) {
            argv.add(Integer.toString(descriptor(i)));
            argv.add(files.get(i).root());
            argv.add(files.get(i).path());
        }
        argv.add("--");
        argv.addAll(program);
        return argv;
    }

    /** The number of a disk's file in the program. */
    public static int descriptor(int index) {
        return FIRST_DESCRIPTOR + index;
    }
}
