// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli;

import java.util.concurrent.Callable;
import org.dkvm.bundle.options.HostConfig;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.kernel.ImageKernelCache;
import org.dkvm.kernel.KernelName;
import org.dkvm.kernel.KernelShelf;
import org.dkvm.kernel.KernelUse;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code dkvm kernel rm}. */
@Command(
        name = "rm",
        description = "Removes a kernel.",
        mixinStandardHelpOptions = true,
        versionProvider = AdminCommand.Version.class)
final class KernelRemoveCommand implements Callable<Integer> {
    private final PackageLayout layout;

    @Parameters(paramLabel = "<dist>/<version>", description = "The kernel.")
    private String name = "";

    @Option(
            names = "--force",
            description = "Even if it came with the package, or is the default. One that a VM runs with stays.")
    private boolean force;

    KernelRemoveCommand(PackageLayout layout) {
        this.layout = layout;
    }

    @Override
    public Integer call() throws DkvmException {
        KernelName kernel = KernelName.parse(name);
        try (KernelShelf shelf = KernelShelf.open(layout.kernels())) {
            if (shelf.isShipped(kernel) && !force) {
                throw new DkvmException(
                        "kernel \"" + kernel + "\" came with the package", "\"--force\" removes it all the same");
            }
            if (KernelUse.isInUse(layout.kernels().resolve(kernel.toString()))) {
                throw new DkvmException("kernel \"" + kernel + "\" is in use by a VM", "stop its container first");
            }
            String byDefault = HostConfig.read(HostConfig.FILE).vms().kernel();
            if (!force && shelf.losesTarget(byDefault, kernel)) {
                throw new DkvmException(
                        "kernel \"" + kernel + "\" is the default",
                        "\"dkvm kernel default <dist>\" makes another one the default");
            }
            shelf.remove(kernel);
        }
        ImageKernelCache.sweep(ImageKernelCache.DIRECTORY);
        System.out.println(kernel + ": removed");
        return 0;
    }
}
