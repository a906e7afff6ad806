// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli;

import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code dkvm kernel}: what belongs to it. */
@Command(
        name = "kernel",
        description = "Lists, adds and removes the kernels that VMs boot.",
        mixinStandardHelpOptions = true,
        versionProvider = AdminCommand.Version.class,
        subcommands = {
            KernelListCommand.class,
            KernelAddCommand.class,
            KernelRemoveCommand.class,
            KernelDefaultCommand.class,
            KernelInitramfsCommand.class,
            KernelAssembleCommand.class,
            KernelOfImageCommand.class
        },
        synopsisSubcommandLabel = "COMMAND")
final class KernelCommand implements Runnable {
    /** The commands that need to know the package. */
    static final List<Class<?>> PARTS = List.of(
            KernelListCommand.class,
            KernelAddCommand.class,
            KernelRemoveCommand.class,
            KernelDefaultCommand.class,
            KernelAssembleCommand.class,
            KernelOfImageCommand.class);

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    /** Alone it says nothing to do. */
    @Override
    public void run() {
        throw new CommandLine.ParameterException(spec.commandLine(), "a command is missing");
    }
}
