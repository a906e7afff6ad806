// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Locale;
import org.dkvm.cli.template.TemplateCommand;
import org.dkvm.cli.vm.GuestQuestion;
import org.dkvm.cli.vm.LogsCommand;
import org.dkvm.cli.vm.PsCommand;
import org.dkvm.cli.vm.StatsCommand;
import org.dkvm.cli.vm.TimelineCommand;
import org.dkvm.cli.vm.TopCommand;
import org.dkvm.cli.vm.VmTools;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.linux.StatePlaces;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The administrator's command, {@code dkvm}. Apart from the engine's way, which can not wait for a parser like this to load. */
@Command(
        name = "dkvm",
        description = "Looks after DKVM, which runs containers as virtual machines.",
        mixinStandardHelpOptions = true,
        versionProvider = AdminCommand.Version.class,
        subcommands = {
            KernelCommand.class,
            TemplateCommand.class,
            PsCommand.class,
            TopCommand.class,
            StatsCommand.class,
            LogsCommand.class,
            TimelineCommand.class,
            CompletionCommand.class
        },
        synopsisSubcommandLabel = "COMMAND")
final class AdminCommand {
    private final PackageLayout layout;

    private AdminCommand(PackageLayout layout) {
        this.layout = layout;
    }

    /** Runs a command and returns its exit code: 0, 1 when it found something wrong, 2 when it was called wrongly. */
    static int run(List<String> args, PackageLayout layout) {
        try {
            StatePlaces.prepare();
        } catch (DkvmException e) {
            System.err.println("dkvm failed: " + e.text());
            return 1;
        }
        CommandLine line = commandLine(layout);
        line.setExecutionExceptionHandler(AdminCommand::report);
        String[] arguments = args.isEmpty() ? new String[] {"--help"} : args.toArray(new String[0]);
        return line.execute(arguments);
    }

    /** The command with all that belongs to it. */
    static CommandLine commandLine(PackageLayout layout) {
        CommandLine line = new CommandLine(new AdminCommand(layout), new Factory(layout))
                .setCaseInsensitiveEnumValuesAllowed(true);
        tellVersion(line, new Version(layout));
        return line;
    }

    /** All that have the option {@code --version} mean DKVM's. */
    private static void tellVersion(CommandLine line, CommandLine.IVersionProvider version) {
        line.getCommandSpec().versionProvider(version);
        line.getSubcommands().values().forEach(child -> tellVersion(child, version));
    }

    /** What was to be expected becomes a line and 1; the rest is a bug and shown as such. */
    private static int report(Exception e, CommandLine command, CommandLine.ParseResult parsed) throws Exception {
        if (e instanceof DkvmException expected) {
            command.getErr().println(command.getCommandSpec().qualifiedName() + " failed: " + expected.text());
            return 1;
        }
        throw e;
    }

    @Command(name = "version", description = "Prints DKVM's version.")
    int version() {
        System.out.println(versionOf(layout));
        return 0;
    }

    @Command(name = "check", description = "Checks whether this host has what VMs need, and says what to do where not.")
    int check() {
        boolean failed = false;
        for (CheckResult result : new HostCheck(layout).run()) {
            failed |= result.verdict() == CheckResult.Verdict.FAILED;
            System.out.println(result.verdict().name().toLowerCase(Locale.ROOT) + ": " + result.subject() + ": "
                    + result.finding());
            if (!result.advice().isEmpty()) {
                System.out.println("    " + result.advice());
            }
        }
        return failed ? 1 : 0;
    }

    @Command(
            name = "config",
            description = "Prints the settings that hold on this host, from /etc/dkvm/dkvm.json and the defaults.")
    int config() throws DkvmException {
        System.out.print(ConfigCommand.text());
        return 0;
    }

    @Command(name = "help", description = "Prints this.", hidden = true)
    int help() {
        return run(List.of("--help"), layout);
    }

    private static String versionOf(PackageLayout layout) {
        try {
            return "dkvm " + Files.readString(layout.home().resolve("VERSION")).strip();
        } catch (IOException e) {
            return "dkvm, version unknown: " + e.getMessage();
        }
    }

    /** Prints what {@code dkvm version} does. */
    static final class Version implements CommandLine.IVersionProvider {
        private final PackageLayout layout;

        private Version(PackageLayout layout) {
            this.layout = layout;
        }

        @Override
        public String[] getVersion() {
            return new String[] {versionOf(layout)};
        }
    }

    /** Makes what needs to know the package. */
    private record Factory(PackageLayout layout) implements CommandLine.IFactory {
        private GuestQuestion question() {
            return new GuestQuestion(layout, () -> InnerRuntime.find().orElse("runc"));
        }

        @Override
        public <K> K create(Class<K> type) throws Exception {
            if (type == Version.class) {
                return type.cast(new Version(layout));
            }
            if (KernelCommand.PARTS.contains(type) || VmTools.COMMANDS.contains(type)) {
                return type.getDeclaredConstructor(PackageLayout.class).newInstance(layout);
            }
            if (type == TemplateCommand.class) {
                return type.cast(new TemplateCommand(() -> InnerRuntime.jobs(layout)));
            }
            if (type == TopCommand.class) {
                return type.cast(new TopCommand(question()));
            }
            if (type == StatsCommand.class) {
                return type.cast(new StatsCommand(question()));
            }
            return CommandLine.defaultFactory().create(type);
        }
    }
}
