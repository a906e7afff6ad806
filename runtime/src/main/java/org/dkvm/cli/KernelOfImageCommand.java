// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.create.JavaJob;
import org.dkvm.kernel.ImageKernelFiles;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code dkvm kernel of-image}: what {@code create} runs in a sandbox for an image that brings its own kernel. */
@Command(
        name = "of-image",
        description = "Makes an image's kernel ready to boot.",
        mixinStandardHelpOptions = true,
        hidden = true)
final class KernelOfImageCommand implements Callable<Integer> {
    private final PackageLayout layout;

    @Parameters(index = "0", paramLabel = "KERNEL", description = "The image's vmlinuz.")
    private Path kernel = Path.of("");

    @Parameters(index = "1", paramLabel = "MODULES", description = "Its modules.")
    private Path modules = Path.of("");

    @Parameters(index = "2", paramLabel = "WORK", description = "A directory for what is wanted meanwhile.")
    private Path work = Path.of("");

    @Parameters(index = "3", paramLabel = "OUT", description = "The directory to write to.")
    private Path out = Path.of("");

    KernelOfImageCommand(PackageLayout layout) {
        this.layout = layout;
    }

    @Override
    public Integer call() {
        try {
            ImageKernelFiles.make(kernel, modules, layout, work, out);
            return 0;
        } catch (DkvmException e) {
            System.err.print(JavaJob.said(e));
            return 1;
        }
    }
}
