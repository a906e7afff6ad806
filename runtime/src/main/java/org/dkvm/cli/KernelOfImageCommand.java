// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.kernel.ImageKernelEntry;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code dkvm kernel of-image}: what {@code create} calls for an image that brings its own kernel. */
@Command(
        name = "of-image",
        description = "Makes an image's kernel ready to boot.",
        mixinStandardHelpOptions = true,
        hidden = true)
final class KernelOfImageCommand implements Callable<Integer> {
    private final PackageLayout layout;

    @Parameters(index = "0", paramLabel = "KERNEL", description = "The image's vmlinuz, on the host.")
    private Path kernel = Path.of("");

    @Parameters(index = "1", paramLabel = "MODULES", description = "Its modules.")
    private Path modules = Path.of("");

    @Parameters(index = "2", paramLabel = "ENTRY", description = "The directory to make.")
    private Path entry = Path.of("");

    KernelOfImageCommand(PackageLayout layout) {
        this.layout = layout;
    }

    @Override
    public Integer call() throws DkvmException {
        ImageKernelEntry.make(kernel, modules, layout, entry);
        return 0;
    }
}
