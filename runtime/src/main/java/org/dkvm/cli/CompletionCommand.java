// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli;

import java.util.Locale;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code dkvm completion}. The package has what it prints, at the places where shells look. */
@Command(
        name = "completion",
        description = "Prints a script by which a shell completes dkvm's words; the package installs them.",
        mixinStandardHelpOptions = true,
        versionProvider = AdminCommand.Version.class)
final class CompletionCommand implements Runnable {
    /** The shells that there are scripts for; named as they are typed. */
    enum Shell {
        BASH,
        ZSH,
        FISH;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Parameters(index = "0", paramLabel = "bash|zsh|fish", description = "The shell: ${COMPLETION-CANDIDATES}.")
    private Shell shell = Shell.BASH;

    @Override
    public void run() {
        System.out.print(script(shell, spec.root().commandLine()));
    }

    /** The script for a shell and a command with all that belongs to it. */
    static String script(Shell shell, CommandLine command) {
        return switch (shell) {
            case BASH -> AutoComplete.bash(command.getCommandName(), command);
            case ZSH -> zsh(command);
            case FISH -> FishCompletion.script(command);
        };
    }

    /** Bash's script as zsh's own emulation of bash's completion runs it; the first completion loads it, and is one. */
    private static String zsh(CommandLine command) {
        String name = command.getCommandName();
        return "#compdef " + name + "\n" + AutoComplete.bash(name, command)
                + "\n_bash_complete -o default -F _complete_" + name + "\n";
    }
}
