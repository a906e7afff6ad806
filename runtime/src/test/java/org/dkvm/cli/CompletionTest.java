// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.PackageLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/** Completions as shells understand them, and the manual page: both name what the command has. */
class CompletionTest {
    private static final CommandLine DKVM = AdminCommand.commandLine(new PackageLayout(Path.of("/opt/dkvm")));

    @TempDir
    Path directory;

    private Path script(CompletionCommand.Shell shell) throws IOException {
        return Files.writeString(directory.resolve("script"), CompletionCommand.script(shell, DKVM));
    }

    /** What a program prints, errors with it; it has to end well. */
    private static String output(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output;
    }

    private List<String> bashCompletes(String... words) throws IOException, InterruptedException {
        String line = String.join(" ", words);
        String typed = "COMP_WORDS=(" + line + " '') COMP_CWORD=" + words.length + " COMP_LINE='" + line
                + " ' COMP_POINT=" + (line.length() + 1);
        return List.of(output(
                        "bash",
                        "--norc",
                        "-c",
                        ". " + script(CompletionCommand.Shell.BASH) + "; " + typed
                                + "; _complete_dkvm; echo \"${COMPREPLY[@]}\"")
                .strip()
                .split("\\s+", -1));
    }

    @Test
    void bashCompletesCommands() throws IOException, InterruptedException {
        assertThat(bashCompletes("dkvm")).contains("check", "config", "kernel", "completion", "version");
        assertThat(bashCompletes("dkvm", "kernel"))
                .contains("ls", "add", "rm", "default")
                .doesNotContain("initramfs");
        assertThat(bashCompletes("dkvm", "completion")).contains("bash", "zsh", "fish");
    }

    @Test
    void fishHasALineForEveryCommandAndOption() throws IOException {
        assertThat(Files.readAllLines(script(CompletionCommand.Shell.FISH)))
                .contains(
                        "complete -c dkvm -f",
                        "complete -c dkvm -n '__fish_seen_subcommand_from kernel; and __fish_seen_subcommand_from add'"
                                + " -l no-verify -d 'Do not boot it'")
                .anyMatch(line -> line.contains("-l from -r -F"))
                .anyMatch(line -> line.startsWith("complete -c dkvm -n 'not __fish_seen_subcommand_from ")
                        && line.contains(" -a 'kernel' -d 'Lists, adds and removes the kernels that VMs boot'"))
                .anyMatch(line -> line.equals("complete -c dkvm -n '__fish_seen_subcommand_from completion' -a 'fish'"))
                .noneMatch(line -> line.contains("initramfs"));
    }

    @Test
    void fishCompletesCommandsAndOptions() throws IOException, InterruptedException {
        assumeTrue(Files.exists(Path.of("/usr/bin/fish")), "fish is not installed");
        Path script = script(CompletionCommand.Shell.FISH);
        String home = directory.toString();
        String completed = output(
                "env",
                "HOME=" + home,
                "fish",
                "--no-config",
                "-c",
                "source " + script + "; complete -C'dkvm '; complete -C'dkvm kernel add --'");
        assertThat(completed)
                .contains("check\t", "kernel\t", "--no-verify\t", "--from\t")
                .doesNotContain("initramfs");
    }

    @Test
    void zshLoadsItsScript() throws IOException, InterruptedException {
        assumeTrue(Files.exists(Path.of("/usr/bin/zsh")), "zsh is not installed");
        Files.writeString(directory.resolve("_dkvm"), CompletionCommand.script(CompletionCommand.Shell.ZSH, DKVM));
        String loaded = output(
                "zsh",
                "-f",
                "-c",
                "fpath=(" + directory + " $fpath); autoload -U compinit; compinit -u -D; echo ${_comps[dkvm]};"
                        + " zsh -n " + directory + "/_dkvm");
        assertThat(loaded.strip()).isEqualTo("_dkvm");
    }

    @Test
    void theManualPageHasEveryCommandAndOption() throws IOException {
        String page = Files.readString(Path.of("package/man/dkvm.1")).replace("\\-", "-");
        List<String> words = new ArrayList<>();
        collect(DKVM, "", words);
        assertThat(words).contains("kernel add", "--no-verify", "check");
        for (String word : words) {
            assertThat(page).as(word).contains(word);
        }
    }

    /** What it does not know there is taken for an engine's. */
    @Test
    void theMainProgramKnowsEveryCommand() throws IOException {
        String source = Files.readString(Path.of("runtime/src/main/java/org/dkvm/cli/Main.java"));
        assertThat(DKVM.getSubcommands().keySet())
                .isNotEmpty()
                .allSatisfy(name -> assertThat(source).contains("\"" + name + "\""));
    }

    private static void collect(CommandLine command, String path, List<String> words) {
        for (OptionSpec option : command.getCommandSpec().options()) {
            words.addAll(List.of(option.names()));
        }
        for (CommandLine child : command.getSubcommands().values()) {
            if (!child.getCommandSpec().usageMessage().hidden()) {
                String name = (path + " " + child.getCommandName()).strip();
                if (child.getSubcommands().isEmpty()) {
                    words.add(name);
                }
                collect(child, name, words);
            }
        }
    }
}
