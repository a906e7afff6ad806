// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** package/dkvm-runtime, in a package whose Java is a script that writes its arguments down, before a runc of the same kind. */
class LauncherTest {
    private static final String VMS = "/run/dkvm/vms";

    @TempDir
    Path directory;

    private Path home;
    private Path launcher;

    @BeforeEach
    void install() throws IOException {
        home = directory.resolve("home");
        launcher = home.resolve("scripts/dkvm-runtime");
        Files.createDirectories(launcher.getParent());
        String text = Files.readString(Path.of("package/dkvm-runtime"));
        assertThat(text).contains(VMS);
        Files.writeString(launcher, text.replace(VMS, directory.resolve("vms").toString()));
        for (String helper : List.of("dkvm-stop-workload", "dkvm-pause")) {
            Files.copy(Path.of("package", helper), launcher.resolveSibling(helper), StandardCopyOption.COPY_ATTRIBUTES);
        }
        script(directory.resolve("bin/runc"), "printf '%s\\n' \"$@\" > " + directory.resolve("runc.args"));
        script(
                home.resolve("sandbox/opt/dkvm/dkvm-keep"),
                "printf '%s\\n' \"$1 $2\" > " + directory.resolve("keep.args") + "; shift 2; exec \"$@\"");
        script(
                home.resolve("sandbox/opt/dkvm/dkvm-rooted"),
                "printf '%s\\n' \"$1\" > " + directory.resolve("rooted.args") + "; shift; exec \"$@\"");
        javaDoes("exit 0");
    }

    private static void script(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, "#!/bin/sh\n" + text + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /** The loader stands for Java. */
    private void javaDoes(String what) throws IOException {
        script(
                home.resolve("sandbox/lib64/ld-linux-x86-64.so.2"),
                "printf '%s\\n' \"$@\" > " + directory.resolve("java.args") + "\n" + what);
    }

    private int run(Path program, String... args) throws IOException, InterruptedException {
        String result = resultOf(program, args);
        assertThat(result).as("nothing is printed").endsWith(" ");
        return Integer.parseInt(result.strip());
    }

    /** The exit code and what it prints. */
    private String resultOf(Path program, String... args) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("/bin/sh", program.toString()));
        command.addAll(List.of(args));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("PATH", directory.resolve("bin") + ":" + System.getenv("PATH"));
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return process.waitFor() + " " + output.strip();
    }

    /** The runtime below, which fails so often, with those words. */
    private void runcFails(int times, String words) throws IOException {
        Path left = directory.resolve("left");
        Files.writeString(left, "x".repeat(times));
        script(
                directory.resolve("bin/runc"),
                "printf '%s\\n' \"$@\" > " + directory.resolve("runc.args") + "\n[ -s " + left + " ] || exit 0\n"
                        + "cut=$(cat " + left + ") && printf %s \"${cut#x}\" >" + left + "; echo " + words
                        + " >&2; exit 1");
    }

    private List<String> lines(String file) throws IOException {
        return Files.readAllLines(directory.resolve(file));
    }

    @Test
    void createRunsJavaAndThenRuncWithTheSameArguments() throws IOException, InterruptedException {
        String[] args = {
            "--root", "/r r", "--log=/l", "--log-format", "json", "--systemd-cgroup", "create", "--bundle", "/b", "id1"
        };
        assertThat(run(launcher, args)).isZero();
        assertThat(lines("runc.args")).containsExactly(args);
        assertThat(directory.resolve("keep.args")).as("of what Java made no VM").doesNotExist();
        assertThat(lines("java.args"))
                .contains("-Ddkvm.home=" + home)
                .contains(home + "/sandbox/opt/dkvm/jre/bin/java")
                .endsWith(args);
        assertThat(lines("java.args").get(lines("java.args").size() - args.length - 1))
                .isEqualTo("org.dkvm.cli.Main");
        assertThat(lines("rooted.args")).containsExactly("beside");
    }

    @Test
    void aVmHasAPlaceForItsLogFromItsCreationToItsEnd() throws IOException, InterruptedException {
        Files.createDirectories(directory.resolve("vms/id1"));
        String[] args = {"--root", "/r", "create", "--bundle", "/b", "id1"};
        assertThat(run(launcher, args)).isZero();
        assertThat(lines("keep.args")).containsExactly("begin id1");
        assertThat(lines("runc.args")).containsExactly(args);
        assertThat(run(launcher, "delete", "id1")).isZero();
        assertThat(lines("keep.args")).containsExactly("end id1");
    }

    @Test
    void otherCommandsGoStraightToRunc() throws IOException, InterruptedException {
        for (String[] args : List.of(
                new String[] {"--root", "create", "state", "id1"},
                new String[] {"--log", "exec", "--debug", "kill", "run", "9"},
                new String[] {"--version"},
                new String[] {"--root", "/r", "kill", "id1", "KILL"},
                new String[] {"delete", "STOP"},
                new String[] {"delete", "--force", "id1"})) {
            assertThat(run(launcher, args)).isZero();
            assertThat(lines("runc.args")).containsExactly(args);
        }
        assertThat(directory.resolve("java.args")).doesNotExist();
        assertThat(directory.resolve("keep.args")).doesNotExist();
    }

    @Test
    void crunMakesTheSandboxesWhereThereIsNoRuncAndSomeRuntimeThereMustBe() throws IOException, InterruptedException {
        String text = Files.readString(launcher);
        String places = "/usr/bin:/usr/sbin:/usr/local/bin:/usr/local/sbin";
        assertThat(text).contains(places);
        Files.writeString(
                launcher, text.replace(places, directory.resolve("more").toString()));
        String[] args = {"--root", "/r", "create", "--bundle", "/b", "id1"};

        Files.move(directory.resolve("bin/runc"), directory.resolve("bin/crun"));
        assertThat(alone(args)).isEqualTo("ended with 0\n");
        assertThat(lines("runc.args")).containsExactly(args);
        assertThat(lines("java.args")).contains("-Ddkvm.runc=" + directory.resolve("bin/crun"));

        Files.createDirectory(directory.resolve("more"));
        Files.move(directory.resolve("bin/crun"), directory.resolve("more/crun"));
        assertThat(alone(args)).isEqualTo("ended with 0\n");
        assertThat(lines("java.args")).contains("-Ddkvm.runc=" + directory.resolve("more/crun"));

        Files.delete(directory.resolve("more/crun"));
        assertThat(alone(args))
                .startsWith("dkvm-runtime: neither runc nor crun found; install one")
                .endsWith("ended with 1\n");
    }

    /** What the launcher prints, and ends with, where no program of the machine is on PATH but what it needs itself. */
    private String alone(String... args) throws IOException, InterruptedException {
        Path sed = directory.resolve("bin/sed");
        if (!Files.exists(sed)) {
            Files.createSymbolicLink(sed, Path.of("/bin/sed"));
        }
        List<String> command = new ArrayList<>(List.of("/bin/sh", launcher.toString()));
        command.addAll(List.of(args));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("PATH", directory.resolve("bin").toString());
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return output + "ended with " + process.waitFor() + "\n";
    }

    @Test
    void aCheckpointIsRefused() throws IOException, InterruptedException {
        for (String command : List.of("checkpoint", "restore")) {
            Process process = new ProcessBuilder("/bin/sh", launcher.toString(), "--root", "/r", command, "id1")
                    .redirectErrorStream(true)
                    .start();
            assertThat(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                    .startsWith("dkvm-runtime: " + command + ": a VM can not be saved");
            assertThat(process.waitFor()).isEqualTo(1);
        }
        assertThat(directory.resolve("runc.args")).doesNotExist();
    }

    @Test
    void theSignalThatStopsGoesAroundTheInit() throws IOException, InterruptedException {
        for (String signal : List.of("19", "STOP", "SIGSTOP")) {
            assertThat(run(launcher, "--root", "/r r", "--debug", "kill", "--all", "id1", signal))
                    .isZero();
            assertThat(lines("runc.args"))
                    .containsExactly(
                            "--root",
                            "/r r",
                            "--debug",
                            "exec",
                            "--user",
                            "0:0",
                            "--cwd",
                            "/",
                            "id1",
                            "/opt/dkvm/dkvm-exec",
                            "--signal",
                            "19");
        }
        assertThat(directory.resolve("java.args")).doesNotExist();
    }

    @Test
    void theSignalThatStopsIsRuncsWhereThereIsNoMachine() throws IOException, InterruptedException {
        script(
                directory.resolve("bin/runc"),
                "[ \"$3\" != exec ] || exit 1; printf '%s\\n' \"$@\" > " + directory.resolve("runc.args"));
        String[] args = {"--root", "/r", "kill", "id1", "STOP"};
        assertThat(run(launcher, args)).isZero();
        assertThat(lines("runc.args")).containsExactly(args);
    }

    @Test
    void aPauseIsTriedAgainOnABusyHostAndNoOtherFailureIs() throws IOException, InterruptedException {
        String[] pause = {"--root", "/r", "--log", "/l", "pause", "id1"};
        runcFails(3, "unable to freeze");
        assertThat(resultOf(launcher, pause)).as("no machine").isEqualTo("1 unable to freeze");
        Files.createDirectories(directory.resolve("vms/id1"));
        assertThat(run(launcher, pause)).isZero();
        assertThat(lines("runc.args")).containsExactly(pause);
        assertThat(Files.size(directory.resolve("left"))).isZero();
        runcFails(1000, "unable to freeze");
        assertThat(resultOf(launcher, pause)).isEqualTo("1 unable to freeze");
        assertThat(Files.size(directory.resolve("left"))).isEqualTo(970);
        runcFails(3, "container not running");
        assertThat(resultOf(launcher, pause)).isEqualTo("1 container not running");
        assertThat(Files.size(directory.resolve("left"))).isEqualTo(2);
    }

    @Test
    void whatLooksAtImagesIsBesideJavaWhereItIsAsked() throws IOException, InterruptedException {
        for (String command : List.of("create", "run", "exec")) {
            assertThat(run(launcher, command, "id1")).isZero();
            assertThat(lines("rooted.args")).containsExactly("beside");
            assertThat(lines("java.args")).contains("-Ddkvm.beside=");
            Files.delete(directory.resolve("rooted.args"));
        }
        assertThat(run(launcher, "update", "id1")).isZero();
        assertThat(directory.resolve("rooted.args")).doesNotExist();
        assertThat(lines("java.args")).noneMatch(argument -> argument.contains("beside"));
    }

    @Test
    void aFailureKeepsRuncFromRunning() throws IOException, InterruptedException {
        javaDoes("exit 255");
        assertThat(run(launcher, "exec", "-p", "/x", "id1")).isEqualTo(255);
        assertThat(directory.resolve("runc.args")).doesNotExist();
    }

    /** A runc that writes down what it reads of a process, too. */
    private void runcReads() throws IOException {
        script(
                directory.resolve("bin/runc"),
                "printf '%s\\n' \"$@\" > " + directory.resolve("runc.args") + "\ncat /proc/self/fd/9 > "
                        + directory.resolve("runc.process"));
    }

    @Test
    void aProcessFromJavaIsReadByRuncFromAPipe() throws IOException, InterruptedException {
        String process = "{\"args\":[\"a  $HOME\\n`b`\"]," + "\"x\":\"" + "y".repeat(200_000) + "\"}";
        Files.writeString(directory.resolve("made"), "0 0 " + process);
        javaDoes("cat " + directory.resolve("made"));
        runcReads();
        assertThat(run(launcher, "--root", "/r", "exec", "-t", "id1", "ls", "a b"))
                .isZero();
        assertThat(lines("runc.args"))
                .containsExactly("--root", "/r", "exec", "--process", "/proc/self/fd/9", "-t", "id1", "ls", "a b");
        assertThat(lines("runc.process")).containsExactly(process);
    }

    @Test
    void theCallersProcessIsLeftOutOfWhatRuncIsGiven() throws IOException, InterruptedException {
        runcReads();
        javaDoes("echo '3 4 {\"x\": 1}'");
        assertThat(run(launcher, "exec", "-t", "-p", "/dev/fd/3", "id1", "-p", "x"))
                .isZero();
        assertThat(lines("runc.args")).containsExactly("exec", "--process", "/proc/self/fd/9", "-t", "id1", "-p", "x");
        javaDoes("echo '2 2 {\"x\": 1}'");
        assertThat(run(launcher, "exec", "--process=/f", "id1")).isZero();
        assertThat(lines("runc.args")).containsExactly("exec", "--process", "/proc/self/fd/9", "id1");
        assertThat(lines("runc.process")).containsExactly("{\"x\": 1}");
    }

    @Test
    void whatJavaHasUpdatedIsNoConcernOfRunc() throws IOException, InterruptedException {
        javaDoes("echo updated");
        assertThat(run(launcher, "--root", "/r", "update", "--resources", "-", "id1"))
                .isZero();
        assertThat(directory.resolve("runc.args")).doesNotExist();
        assertThat(lines("java.args")).contains("-Ddkvm.runc=" + directory.resolve("bin/runc"));
        javaDoes("exit 0");
        assertThat(run(launcher, "update", "--resources", "-", "id1")).isZero();
        assertThat(lines("runc.args")).containsExactly("update", "--resources", "-", "id1");
    }

    @Test
    void theCacheIsUsedWhenItIsThere() throws IOException, InterruptedException {
        run(launcher, "create", "id1");
        assertThat(lines("java.args")).noneMatch(argument -> argument.startsWith("-XX:AOTCache"));
        Path cache = home.resolve("sandbox/opt/dkvm/aot/runtime.aot");
        Files.createDirectories(cache.getParent());
        Files.writeString(cache, "");
        run(launcher, "create", "id1");
        assertThat(lines("java.args")).contains("-XX:AOTCache=" + cache);
    }

    /** The helper is linked to a libc that the host may not have. */
    @Test
    void javaStartsProgramsWithoutTheHelperOfTheJdk() throws IOException, InterruptedException {
        run(launcher, "create", "id1");
        assertThat(lines("java.args")).contains("-Djdk.lang.Process.launchMechanism=FORK");
    }

    @Test
    void aLinkToTheLauncherLeadsToItsPackage() throws IOException, InterruptedException {
        Path link = Files.createSymbolicLink(directory.resolve("dkvm"), launcher);
        assertThat(run(link, "create", "id1")).isZero();
        assertThat(lines("java.args")).contains("-Ddkvm.home=" + home);
    }

    @Test
    void theVersionThatIsCurrentIsTheCommandsToItsEnd() throws IOException, InterruptedException {
        Path root = directory.resolve("root");
        Path version = root.resolve("versions/1");
        Files.createDirectories(version.getParent());
        Files.move(home, version);
        Files.createSymbolicLink(root.resolve("current"), Path.of("versions/1"));
        Files.createSymbolicLink(root.resolve("scripts"), Path.of("current/scripts"));
        Files.createSymbolicLink(root.resolve("sandbox"), Path.of("current/sandbox"));
        script(directory.resolve("bin/runc"), "pwd > " + directory.resolve("runc.pwd"));
        assertThat(run(root.resolve("scripts/dkvm-runtime"), "create", "id1")).isZero();
        assertThat(lines("java.args"))
                .contains("-Ddkvm.home=" + version)
                .contains(version + "/sandbox/opt/dkvm/jre/bin/java");
        assertThat(lines("runc.pwd"))
                .containsExactly(Path.of("").toAbsolutePath().toString());
    }

    @Test
    void aVmOfAnotherVersionGoesOnWithThatOnesLauncher() throws IOException, InterruptedException {
        Path other = directory.resolve("other/scripts/dkvm-runtime");
        script(other, "printf '%s\\n' \"$@\" > " + directory.resolve("other.args"));
        javaDoes("echo " + other);
        assertThat(run(launcher, "--root", "/r", "exec", "-t", "id1", "ls")).isZero();
        assertThat(lines("other.args")).containsExactly("--root", "/r", "exec", "-t", "id1", "ls");
        assertThat(directory.resolve("runc.args")).doesNotExist();
    }

    @Test
    void itStaysShort() throws IOException {
        assertThat(Files.readAllLines(launcher)).hasSizeLessThanOrEqualTo(80);
    }
}
