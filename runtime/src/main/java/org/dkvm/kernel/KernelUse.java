// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.dkvm.core.SandboxPaths;
import org.dkvm.linux.HostFiles;

/** Tells whether a kernel runs: a sandbox has its directory mounted. */
public final class KernelUse {
    private KernelUse() {}

    /** Whether a process sees the kernel's directory where a sandbox has it; looks into processes' roots, which takes root. */
    public static boolean isInUse(Path kernel) {
        return isInUse(kernel, Path.of("/proc"));
    }

    static boolean isInUse(Path kernel, Path proc) {
        List<Path> processes;
        try (var entries = Files.list(proc)) {
            processes = entries.filter(entry -> Character.isDigit(
                            String.valueOf(entry.getFileName()).charAt(0)))
                    .toList();
        } catch (IOException e) {
            return false;
        }
        for (Path process : processes) {
            if (HostFiles.isSame(process + "/root" + SandboxPaths.KERNEL, kernel.toString())) {
                return true;
            }
        }
        return false;
    }
}
