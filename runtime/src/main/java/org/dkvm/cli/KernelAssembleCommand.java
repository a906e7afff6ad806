// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.create.JavaJob;
import org.dkvm.kernel.KernelAssembly;
import org.dkvm.kernel.KernelName;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code dkvm kernel assemble}: what {@code dkvm kernel add} runs in a sandbox. */
@Command(
        name = "assemble",
        description = "Makes a kernel of packages or a directory.",
        mixinStandardHelpOptions = true,
        hidden = true)
final class KernelAssembleCommand implements Callable<Integer> {
    private final PackageLayout layout;

    @Parameters(index = "0", paramLabel = "<dist>/<version>", description = "The name it gets.")
    private String name = "";

    @Parameters(index = "1", paramLabel = "OUT", description = "An empty directory to make it in.")
    private Path out = Path.of("");

    @Parameters(index = "2..*", paramLabel = "SOURCE", description = "Packages, or one directory.")
    private List<Path> sources = List.of();

    KernelAssembleCommand(PackageLayout layout) {
        this.layout = layout;
    }

    @Override
    public Integer call() {
        try {
            KernelName kernel = KernelName.parse(name);
            new KernelAssembly(out, layout, System.out::println).make(kernel, sources, kernel.version());
            return 0;
        } catch (DkvmException e) {
            System.err.print(JavaJob.said(e));
            return 1;
        }
    }
}
