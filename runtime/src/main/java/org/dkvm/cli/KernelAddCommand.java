// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.dkvm.bundle.options.HostConfig;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.create.HostAccelerator;
import org.dkvm.create.KernelProbe;
import org.dkvm.kernel.KernelAssembly;
import org.dkvm.kernel.KernelName;
import org.dkvm.kernel.KernelShelf;
import org.dkvm.kernel.KernelStore;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code dkvm kernel add}. */
@Command(
        name = "add",
        description = {
            "Adds a kernel of a distribution, from its package or from a directory, and boots it once.",
            "",
            "A directory is a root filesystem with boot/vmlinuz-* and lib/modules/*, or has vmlinuz (or vmlinux) and"
                    + " modules/.",
            "",
            "Signatures of packages are not checked: give what you trust, for example what your package manager"
                    + " downloaded and checked.",
            ""
        },
        mixinStandardHelpOptions = true,
        versionProvider = AdminCommand.Version.class)
final class KernelAddCommand implements Callable<Integer> {
    private static final double NANOS_PER_SECOND = 1e9;

    private final PackageLayout layout;

    @Parameters(
            paramLabel = "<dist>/<version>",
            description = "The name it gets, as DKVM_KERNEL asks for it; for arm64, <dist> ends in -arm64.")
    private String name = "";

    @Option(
            names = "--from",
            required = true,
            paramLabel = "<deb|rpm|apk|directory>",
            description = "Where it is. Several packages, --from for each, where a distribution has image and modules"
                    + " in different ones.")
    private List<Path> sources = List.of();

    @Option(names = "--no-verify", description = "Do not boot it.")
    private boolean unverified;

    KernelAddCommand(PackageLayout layout) {
        this.layout = layout;
    }

    @Override
    public Integer call() throws DkvmException {
        KernelName kernel = KernelName.parse(name);
        try (KernelShelf shelf = KernelShelf.open(layout.kernels())) {
            shelf.refuseExisting(kernel);
            KernelAssembly assembly = new KernelAssembly(shelf.work(), layout, KernelAddCommand::say);
            KernelStore.Found made = assembly.make(kernel, sources, kernel.version());
            if (!unverified) {
                verify(made);
            }
            boolean latest = shelf.publish(kernel, made.directory());
            say(kernel + (latest ? ": added, and " + kernel.dist() + "/" + KernelName.LATEST : ": added"));
        }
        return 0;
    }

    private void verify(KernelStore.Found made) throws DkvmException {
        Accelerator accelerator = made.architecture().isForeign()
                ? Accelerator.TCG
                : new HostAccelerator(layout, KernelAddCommand::say)
                        .choose(HostConfig.read(HostConfig.FILE).vms().acceleration());
        say("booting it once with " + accelerator + ", for " + KernelProbe.LIMIT.toSeconds() + " s at most");
        Duration took = KernelProbe.boot(layout, made, accelerator);
        say(String.format(Locale.ROOT, "booted: %.1f s", took.toNanos() / NANOS_PER_SECOND));
    }

    private static void say(String text) {
        System.out.println(text);
    }
}
