// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.dkvm.core.DkvmException;
import org.dkvm.kernel.Initramfs;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code dkvm kernel initramfs}: what package/assemble.sh makes a shipped kernel's initramfs with. */
@Command(
        name = "initramfs",
        description = "Makes the initramfs of a kernel's modules.",
        mixinStandardHelpOptions = true,
        versionProvider = AdminCommand.Version.class,
        hidden = true)
final class KernelInitramfsCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "MODULES", description = "What belongs in /lib/modules/<release>.")
    private Path modules = Path.of("");

    @Parameters(index = "1", paramLabel = "AGENT", description = "The agent's archive.")
    private Path agent = Path.of("");

    @Parameters(index = "2", paramLabel = "OUT", description = "The file to write.")
    private Path out = Path.of("");

    @Option(names = "--more", description = "With the modules that few VMs need: disks' filesystems, screens' devices.")
    private boolean more;

    @Override
    public Integer call() throws DkvmException {
        System.out.println(more ? Initramfs.writeMore(modules, agent, out) : Initramfs.write(modules, agent, out));
        return 0;
    }
}
