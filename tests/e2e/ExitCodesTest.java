// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.DEBIAN;
import static org.dkvm.e2e.Images.HELLO;
import static org.dkvm.e2e.Images.TOOLS;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The exit code is the workload's own; a command that cannot start gives Docker's message and 126 or 127. */
@EndToEnd
class ExitCodesTest {
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 42, 125, 126, 127, 128, 137, 255})
    void theWorkloadsCodeIsTheContainers(int code) throws Exception {
        assertSame(docker -> docker.exits(code).run(BUSYBOX, "sh", "-c", "exit " + code));
    }

    @Test
    void theCodeOfATerminalSession() throws Exception {
        assertSame(docker -> docker.note(
                "end",
                docker.terminal(24, 80, "-t", BUSYBOX, "sh", "-c", "exit 41").finish()));
    }

    @Test
    void waitAndInspectKnowTheCode() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(BUSYBOX, "sh", "-c", "exit 77");
            docker.cli("wait", container.name());
            docker.note(
                    "state",
                    container.inspect("{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}} {{.State.Error}}"));
        });
    }

    @Test
    void aCrashOfTheFirstProcessIsASignal() throws Exception {
        assertSame(docker -> docker.exits(139).run(TOOLS, "python3", "-c", "import ctypes; ctypes.string_at(0)"));
    }

    @Test
    void theFirstProcessSurvivesItsOwnSignals() throws Exception {
        assertSame(
                docker -> docker.exits(9).run(BUSYBOX, "sh", "-c", "kill -KILL $$; kill -TERM $$; echo alive; exit 9"));
    }

    @Test
    void aChildsDeathBySignalIsSeenByItsParent() throws Exception {
        assertSame(docker -> docker.run(
                DEBIAN,
                "bash",
                "-c",
                "for s in HUP KILL SEGV TERM; do bash -c 'kill -'$s' $$'; echo $s $?; done 2>/dev/null"));
    }

    @Test
    void aMissingCommandIs127() throws Exception {
        assertSame(docker -> docker.exits(127).run(BUSYBOX, "no-such-command", "argument"));
    }

    @Test
    void aMissingCommandOnAnImageWithoutAnything() throws Exception {
        assertSame(docker -> docker.exits(127).run(HELLO, "sh"));
    }

    @Test
    void aMissingAbsolutePathIs127() throws Exception {
        assertSame(docker -> docker.exits(127).run(BUSYBOX, "/no/such/command"));
    }

    @Test
    void aMissingRelativePathIs127() throws Exception {
        assertSame(docker -> docker.exits(127).run("-w", "/tmp", BUSYBOX, "./here"));
    }

    @Test
    void aFileWithoutTheExecutableBitIs126() throws Exception {
        assertSame(docker -> docker.exits(126).run(BUSYBOX, "/etc/passwd"));
    }

    @Test
    void aDirectoryIs126() throws Exception {
        assertSame(docker -> docker.exits(126).run(BUSYBOX, "/etc"));
    }

    @Test
    void aProgramIsNoDirectory() throws Exception {
        assertSame(docker -> docker.fails().run(BUSYBOX, "/bin/echo/"));
    }

    @Test
    void anotherUsersPrivateProgramIs126() throws Exception {
        assertSame(docker -> docker.exits(126)
                .run("-u", "1000", "-v", program(docker, "#!/bin/sh\n", "rwx------") + ":/mine", BUSYBOX, "/mine"));
    }

    @Test
    void anEmptyPathFindsNothing() throws Exception {
        assertSame(docker -> docker.exits(127).run("-e", "PATH=/nowhere", BUSYBOX, "true"));
    }

    @Test
    void thePathOfTheEnvironmentDecides() throws Exception {
        assertSame(docker -> {
            Path directory = docker.directory();
            Files.writeString(directory.resolve("greet"), "not executable, passed over\n");
            Path second = docker.directory();
            executable(second.resolve("greet"), "#!/bin/sh\necho found \"$0\"\n", "rwxr-xr-x");
            docker.run("-v", directory + ":/a", "-v", second + ":/b", "-e", "PATH=/a:/b:/bin", BUSYBOX, "greet");
        });
    }

    @Test
    void aScriptRunsByItsInterpreter() throws Exception {
        assertSame(docker -> docker.exits(8)
                .run(
                        "-v",
                        program(docker, "#!/bin/sh -e\necho $0 $*\nexit 8\n", "rwxr-xr-x") + ":/script",
                        BUSYBOX,
                        "/script",
                        "a",
                        "b"));
    }

    @Test
    void aScriptWithAMissingInterpreterDoesNotStart() throws Exception {
        assertSame(docker -> docker.fails()
                .run("-v", program(docker, "#!/no/such/interpreter\n", "rwxr-xr-x") + ":/script", BUSYBOX, "/script"));
    }

    @Test
    void aFileOfNoKnownFormatDoesNotStart() throws Exception {
        assertSame(docker -> docker.fails()
                .run("-v", program(docker, "neither ELF nor script\n", "rwxr-xr-x") + ":/thing", BUSYBOX, "/thing"));
    }

    @Test
    void aRelativeCommandIsLookedForInTheWorkingDirectory() throws Exception {
        assertSame(docker -> docker.run("-w", "/bin", BUSYBOX, "./echo", "here"));
    }

    @Test
    void aDanglingLinkIsMissing() throws Exception {
        assertSame(docker -> {
            Path directory = docker.directory();
            Files.createSymbolicLink(directory.resolve("link"), Path.of("nothing"));
            docker.exits(127).run("-v", directory + ":/d", BUSYBOX, "/d/link");
        });
    }

    @Test
    void noCommandAtAllIsTheEnginesOwnError() throws Exception {
        assertSame(docker -> docker.exits(125).run(docker.image("FROM scratch\nENV A=b\n")));
    }

    @Test
    void anEntrypointTakesTheCommandAsArguments() throws Exception {
        assertSame(docker -> {
            String image = docker.image("FROM " + BUSYBOX + "\nENTRYPOINT [\"echo\", \"entry\"]\nCMD [\"default\"]\n");
            docker.run(image);
            docker.run(image, "given", "words");
            docker.run("--entrypoint", "printf", image, "<%s>", "x");
        });
    }

    @Test
    void aShellFormCommandRunsByTheShell() throws Exception {
        assertSame(docker -> docker.exits(12).run(docker.image("FROM " + BUSYBOX + "\nCMD echo $((6*7)); exit 12\n")));
    }

    @Test
    void anEmptyEntrypointResetsTheImages() throws Exception {
        assertSame(docker -> docker.run(
                "--entrypoint", "", docker.image("FROM " + BUSYBOX + "\nENTRYPOINT [\"false\"]\n"), "echo", "reset"));
    }

    @Test
    void aFileInTheGuestOverridesTheCode() throws Exception {
        onVm(docker -> {
            Outcome outcome = docker.run(BUSYBOX, "sh", "-c", "mkdir -p /.dkvm; echo 33 >/.dkvm/exit-code; exit 1");
            Assertions.assertThat(outcome.exitCode()).isEqualTo(33);
        });
    }

    @Test
    void qemuExitEndsTheVmWithACode() throws Exception {
        onVm(docker -> {
            Outcome outcome = docker.run(BUSYBOX, "sh", "-c", "/opt/dkvm/sbin/qemu-exit 44; sleep 1000");
            Assertions.assertThat(outcome.exitCode()).isEqualTo(44);
        });
    }

    @Test
    void whatDkvmShowsTheGuestIsOneProgramThatCanNotBeChanged() throws Exception {
        onVm(docker -> {
            Outcome outcome = docker.run(BUSYBOX, "sh", "-c", """
                    cd /opt/dkvm; find . | sort; stat -c '%A %u:%g' sbin/qemu-exit
                    for file in new sbin/new sbin/qemu-exit; do (echo x >>$file) 2>&1 | grep -o 'Read-only'; done
                    for change in 'rm sbin/qemu-exit' 'chmod 777 sbin' 'mkdir d' 'mv sbin bin'; do $change 2>&1 | grep -o 'Read-only'; done
                    grep ' /opt/dkvm ' /proc/mounts | grep -o ' ro,nosuid,nodev'""");
            Assertions.assertThat(outcome.text().lines())
                    .containsExactly(
                            ".",
                            "./sbin",
                            "./sbin/qemu-exit",
                            "-rwxr-xr-x 0:0",
                            "Read-only",
                            "Read-only",
                            "Read-only",
                            "Read-only",
                            "Read-only",
                            "Read-only",
                            "Read-only",
                            " ro,nosuid,nodev");
        });
    }

    private static Path program(Docker docker, String text, String mode) throws Exception {
        return executable(docker.directory().resolve("program"), text, mode);
    }

    private static Path executable(Path file, String text, String mode) throws Exception {
        Files.writeString(file, text);
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
    }
}
