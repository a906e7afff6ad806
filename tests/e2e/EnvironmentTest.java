// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.DEBIAN;
import static org.dkvm.e2e.Images.TOOLS;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Arguments, environment and working directory reach the workload as they were given. */
@EndToEnd
class EnvironmentTest {
    private static final String SHOW_ARGUMENTS = "for a; do printf '<%s>\\n' \"$a\"; done";

    private static String[] arguments(String... shown) {
        List<String> all = new ArrayList<>(List.of(BUSYBOX, "sh", "-c", SHOW_ARGUMENTS, "x"));
        all.addAll(List.of(shown));
        return all.toArray(String[]::new);
    }

    @Test
    void argumentsOfOddCharactersArriveAsTheyAre() throws Exception {
        assertSame(docker -> docker.run(arguments(
                " leading and trailing ",
                "tab\there",
                "new\nline",
                "'single' \"double\" `back`",
                "$HOME ${x} $(id)",
                "back\\slash \\n",
                "*?[a]{b,c}~",
                "a,b=c;d|e&f>g<h",
                "-rf",
                "--",
                "#!",
                "\u0001\u007f\u001b[31m",
                "\r\n")));
    }

    @Test
    void emptyArgumentsArrive() throws Exception {
        Transcript seen = assertSame(docker -> docker.run(arguments("", "a", "", "")));
        assertThat(seen.first().text().lines()).containsExactly("<>", "<a>", "<>", "<>");
    }

    @Test
    void argumentsOfAnyLanguageArrive() throws Exception {
        assertSame(docker -> docker.run(arguments("Grüße", "日本語", "🐳", "e\u0301", "\u202eright to left")));
    }

    @Test
    void anArgumentOfOneHundredKilobytesArrives() throws Exception {
        String large = "0123456789".repeat(10_000);
        Transcript seen = assertSame(docker -> docker.run(arguments(large)));
        assertThat(seen.first().stdout().size()).isEqualTo(large.length() + 3);
    }

    @Test
    void twoThousandArgumentsOfMuchTextArriveInOrder() throws Exception {
        String[] many = new String[2000];
        for (int i = 0; i < many.length; i++) {
            // With all others nearly what the kernel takes.
            many[i] = "argument " + i + "-".repeat(750);
        }
        assertSame(docker -> docker.run(arguments(many)));
    }

    @Test
    void theCommandsNameIsItsFirstArgument() throws Exception {
        assertSame(docker -> docker.run(TOOLS, "python3", "-c", "print(open('/proc/self/cmdline', 'rb').read())"));
    }

    @Test
    void theEnvironmentIsTheSame() throws Exception {
        assertSame(docker -> docker.run(
                "-h",
                "box",
                "-e",
                "Z=1",
                "-e",
                "A=2",
                "-e",
                "EMPTY=",
                "-e",
                "M=a=b=c",
                "-e",
                "S= spaces ",
                BUSYBOX,
                "sh",
                "-c",
                "env | sort"));
    }

    @Test
    void nothingElseIsInTheEnvironment() throws Exception {
        Transcript seen = assertSame(docker -> docker.run("-h", "box", "-e", "ONE=1", DEBIAN, "env"));
        assertThat(seen.first().text().lines().map(line -> line.replaceAll("=.*", "")))
                .containsExactly("PATH", "HOSTNAME", "ONE", "HOME");
    }

    @Test
    void theEnvironmentKeepsItsOrder() throws Exception {
        assertSame(docker -> {
            Container container =
                    docker.start("-e", "Z=1", "-e", "B=2", "-e", "M=3", "-e", "A=4", "-e", "Y=5", DEBIAN, "env");
            container.awaitEnd();
            // The engine itself shuffles what the user gave: what it decided on is in the container's configuration.
            String configured = container.inspect("{{range .Config.Env}}{{println .}}{{end}}");
            List<String> seen = container
                    .log()
                    .lines()
                    .filter(line -> line.matches("[A-Z]=.*"))
                    .toList();
            docker.note("in order", configured.lines().toList().equals(seen));
        });
    }

    @Test
    void valuesOfOddCharactersArriveAsTheyAre() throws Exception {
        assertSame(docker -> docker.run(
                "-e",
                "NEWLINE=a\nb\n",
                "-e",
                "QUOTES='\"`",
                "-e",
                "DOLLAR=$HOME",
                "-e",
                "UNICODE=größe 🐳",
                "-e",
                "odd.name-x=1",
                "-e",
                "ESC=\u001b[0m",
                TOOLS,
                "python3",
                "-c",
                "import os; [print(i) for i in sorted(os.environb.items()) if i[0] != b'HOSTNAME']"));
    }

    @Test
    void theSecondValueOfANameWins() throws Exception {
        assertSame(docker -> docker.run(
                "-h", "box", "-e", "A=first", "-e", "B=1", "-e", "A=second", BUSYBOX, "sh", "-c", "env | sort"));
    }

    @Test
    void anEnvironmentFileIsReadAsDockerReadsIt() throws Exception {
        assertSame(docker -> {
            Path file = docker.directory().resolve("env");
            Files.writeString(
                    file,
                    "# comment\nPLAIN=value\nSPACED=a b  c \nEQUALS=a=b==c\nQUOTED=\"stays\"\nEMPTY=\nHASH=a#b\n\nLAST=no newline");
            docker.run("-h", "box", "--env-file", file.toString(), BUSYBOX, "sh", "-c", "env | sort");
        });
    }

    @Test
    void aValueOfSixtyKilobytesArrives() throws Exception {
        assertSame(docker -> {
            Path file = docker.directory().resolve("env");
            Files.writeString(file, "LARGE=" + "abcdefghij".repeat(6_000) + "\nAFTER=x\n");
            docker.run("-h", "box", "--env-file", file.toString(), BUSYBOX, "sh", "-c", "env | sort");
        });
    }

    @Test
    void threeHundredVariablesArrive() throws Exception {
        assertSame(docker -> {
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < 300; i++) {
                text.append("VARIABLE_").append(i).append("=value ").append(i).append('\n');
            }
            Path file = docker.directory().resolve("env");
            Files.writeString(file, text);
            docker.run("-h", "box", "--env-file", file.toString(), BUSYBOX, "sh", "-c", "env | sort");
        });
    }

    @Test
    void homeIsTheUsersOfThePasswdFile() throws Exception {
        assertSame(docker -> {
            docker.run(DEBIAN, "sh", "-c", "echo $HOME");
            docker.run("-u", "www-data", DEBIAN, "sh", "-c", "echo $HOME");
            docker.run("-u", "4242", DEBIAN, "sh", "-c", "echo $HOME");
        });
    }

    @Test
    void anEmptyHomeIsNone() throws Exception {
        Transcript seen = assertSame(docker -> {
            // Two more of what the engine is told by options, on the same boot; runc has not all capabilities to give
            // on every machine.
            boolean vm = docker.runtime().equals(Settings.SUBJECT) && Settings.subjectIsVm();
            String all = vm ? "--cap-add=ALL" : "--cap-add=CHOWN";
            String show = "env | grep HOME; ls -d /dev/shm 2>&1;"
                    + " echo $((0x$(grep CapBnd /proc/self/status | cut -f2) >> 12 & 1))";
            List<String> command = docker.runCommand(
                    docker.name(), "-e", "HOME=", all, "--cap-drop=NET_ADMIN", "--ipc=none", BUSYBOX, "sh", "-c", show);
            docker.note("run", Running.complete(command, Bytes.of("")));
        });
        assertThat(seen.toString()).contains("HOME=/root");
    }

    @Test
    void aGivenHomeStays() throws Exception {
        assertSame(docker -> docker.run("-e", "HOME=/given", "-u", "www-data", DEBIAN, "sh", "-c", "echo $HOME"));
    }

    @Test
    void theImagesEnvironmentCountsAndTheUsersOverridesIt() throws Exception {
        assertSame(docker -> {
            String image = docker.image("FROM " + BUSYBOX + "\nENV FROM_IMAGE=\"a b\" PATH=/bin:/extra OVER=image\n");
            docker.run("-h", "box", "-e", "OVER=user", image, "sh", "-c", "env | sort");
        });
    }

    @Test
    void theWorkingDirectoryOfTheImageCounts() throws Exception {
        assertSame(docker -> docker.run(docker.image("FROM " + BUSYBOX + "\nWORKDIR /work/dir\n"), "pwd"));
    }

    @Test
    void aMissingWorkingDirectoryIsMade() throws Exception {
        assertSame(docker ->
                docker.run("-w", "/made/for me/ünd", BUSYBOX, "sh", "-c", "pwd; stat -c '%n %a %u:%g' /made /made/*"));
    }

    @Test
    void aMissingWorkingDirectoryBelongsToRootWhoeverRuns() throws Exception {
        assertSame(docker ->
                docker.run("-u", "1000:1000", "-w", "/made/here", BUSYBOX, "sh", "-c", "pwd; stat -c '%a %u:%g' ."));
    }

    @Test
    void aWorkingDirectoryInAVolumeIsMadeThere() throws Exception {
        assertSame(docker -> {
            Path directory = docker.directory();
            docker.run("-v", directory + ":/v", "-w", "/v/sub", BUSYBOX, "sh", "-c", "pwd; echo x >file");
            docker.note("on the host", Files.readString(directory.resolve("sub/file")));
        });
    }

    @Test
    void aFileIsNoWorkingDirectory() throws Exception {
        assertSame(docker -> docker.fails().run("-w", "/etc/passwd", BUSYBOX, "pwd"));
    }

    @Test
    void aLinkIsAWorkingDirectory() throws Exception {
        assertSame(docker -> docker.run("-w", "/var/run", DEBIAN, "sh", "-c", "pwd -P; ls -d"));
    }

    @Test
    void aRelativeWorkingDirectoryIsRefused() throws Exception {
        assertSame(docker -> docker.exits(125).run("-w", "relative", BUSYBOX, "pwd"));
    }
}
