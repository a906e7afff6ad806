// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli;

import java.util.concurrent.Callable;
import org.dkvm.bundle.options.HostConfig;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.kernel.KernelChoice;
import org.dkvm.kernel.KernelStore;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code dkvm kernel default}. */
@Command(
        name = "default",
        description =
                "Prints or sets the kernel of containers without DKVM_KERNEL, \"kernel\" in" + " /etc/dkvm/dkvm.json.",
        mixinStandardHelpOptions = true,
        versionProvider = AdminCommand.Version.class)
final class KernelDefaultCommand implements Callable<Integer> {
    private final PackageLayout layout;

    @Parameters(
            paramLabel = "<dist>[/<version>]",
            arity = "0..1",
            description = "The kernel; without a version always the latest. match: by the image's distribution.")
    private String name = "";

    KernelDefaultCommand(PackageLayout layout) {
        this.layout = layout;
    }

    @Override
    public Integer call() throws DkvmException {
        if (name.isEmpty()) {
            System.out.println(HostConfig.read(HostConfig.FILE).vms().kernel());
            return 0;
        }
        KernelStore.Found kernel = new KernelStore(layout.kernels()).find(KernelChoice.packaged(name));
        if (kernel.architecture().isForeign()) {
            throw new DkvmException(
                    "kernel \"" + kernel.name() + "\" is for "
                            + kernel.architecture().label() + ": it can not be the default",
                    "images for " + kernel.architecture().label()
                            + " get the default distribution's kernel for them, or Debian's");
        }
        HostConfig.setKernel(HostConfig.FILE, name);
        System.out.println(
                KernelChoice.MATCH.equals(name)
                        ? "the latest of the image's distribution is the default now, else " + kernel.name()
                        : name + " is the default now: " + kernel.name());
        return 0;
    }
}
