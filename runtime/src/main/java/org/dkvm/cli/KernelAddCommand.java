// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.dkvm.bundle.options.HostConfig;
import org.dkvm.core.Architecture;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.create.HostAccelerator;
import org.dkvm.create.Jobs;
import org.dkvm.create.KernelAssemblyJob;
import org.dkvm.create.KernelProbe;
import org.dkvm.kernel.ImageKernelCache;
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
        layout.checkAddOn(Architecture.ofKernels(kernel.dist()));
        try (KernelShelf shelf = KernelShelf.open(layout.kernels())) {
            shelf.refuseExisting(kernel);
            Jobs jobs = InnerRuntime.jobs(layout);
            jobs.sweep();
            ImageKernelCache.sweep(ImageKernelCache.DIRECTORY);
            KernelStore.Found made = KernelAssemblyJob.make(jobs, kernel, sources, shelf.work(), KernelAddCommand::say);
            if (!unverified) {
                verify(jobs, made);
            }
            boolean latest = shelf.publish(kernel, made.directory());
            say(kernel + (latest ? ": added, and " + kernel.dist() + "/" + KernelName.LATEST : ": added"));
        }
        return 0;
    }

    private static void verify(Jobs jobs, KernelStore.Found made) throws DkvmException {
        HostConfig config = HostConfig.read(HostConfig.FILE);
        Accelerator accelerator = made.architecture().isForeign()
                ? Accelerator.TCG
                : new HostAccelerator(jobs, config.patience().kvmProbe(), KernelAddCommand::say)
                        .choose(config.vms().acceleration());
        Duration limit = KernelProbe.limit(config.patience().start());
        say("booting it once with " + accelerator + ", for " + limit.toSeconds() + " s at most");
        Duration took = KernelProbe.boot(jobs, made, accelerator, limit);
        say(String.format(Locale.ROOT, "booted: %.1f s", took.toNanos() / NANOS_PER_SECOND));
    }

    private static void say(String text) {
        System.out.println(text);
    }
}
