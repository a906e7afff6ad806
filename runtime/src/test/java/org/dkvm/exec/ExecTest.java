// SPDX-License-Identifier: Apache-2.0
package org.dkvm.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.bundle.sandbox.MonitorCommand;
import org.dkvm.core.ContainerId;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.json.Json;
import org.dkvm.linux.PlainRooted;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExecTest {
    private static final String PROCESS = """
            {"user":{"uid":5,"gid":6,"additionalGids":[6]},"args":["%s","x y"],"env":["PATH=/bin","DKVM_ACCEL=tcg","A=b"],
             "cwd":"/etc","capabilities":{"bounding":["CAP_CHOWN"]},"rlimits":[{"type":"RLIMIT_NOFILE","soft":1,"hard":2}],
             "apparmorProfile":"docker-default","terminal":true,"consoleSize":{"height":1,"width":2}}
            """;

    @TempDir
    Path directory;

    private PackageLayout own;
    private Path bundle;
    private Path state;
    private Path process;

    @BeforeEach
    void runAContainer() throws IOException {
        Path home = directory.resolve("versions/1");
        PlainRooted.install(home);
        own = new PackageLayout(home);
        bundle = Files.createDirectories(directory.resolve("bundle"));
        state = Files.createDirectories(directory.resolve("root/id1"));
        Path root = Files.createDirectories(directory.resolve("image"));
        Files.createDirectories(root.resolve("bin"));
        Files.createDirectories(root.resolve("etc"));
        Files.createDirectories(root.resolve("tmp"));
        Files.writeString(root.resolve("bin/tool"), "");
        Files.setPosixFilePermissions(root.resolve("bin/tool"), PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.writeString(bundle.resolve("dkvm-sandbox.json"), "{}");
        Files.writeString(bundle.resolve("dkvm-config.json"), """
                {"root":{"path":"%s"},"process":{"env":["PATH=/bin","C=d"],"cwd":"/","user":{"uid":0,"gid":0},
                 "capabilities":{"bounding":["CAP_KILL"],"effective":["CAP_KILL"],"permitted":["CAP_KILL"]}}}
                """.formatted(root));
        Files.writeString(
                state.resolve("state.json"), "{\"config\":{\"labels\":[\"x=y\",\"bundle=%s\"]}}".formatted(bundle));
        process = directory.resolve("process.json");
    }

    private ExecRequest byFile(String program) throws IOException {
        Files.writeString(process, PROCESS.formatted(program));
        return new ExecRequest(new ContainerId("id1"), state, new ExecRequest.ProcessFile(process));
    }

    private static Exec.Result run(ExecRequest request, PackageLayout own) throws DkvmException {
        return Exec.run(request, own, warning -> {
            throw new AssertionError(warning);
        });
    }

    private JsonObject rewritten(ExecRequest request) throws DkvmException {
        return ((Exec.Rewritten) run(request, own)).process();
    }

    private static ExecRequest.Arguments arguments(String... args) {
        return new ExecRequest.Arguments(
                List.of(args),
                "/tmp",
                List.of("X=1"),
                false,
                new ExecUser(List.of("9"), "7:8", List.of("CAP_CHOWN"), true));
    }

    @Test
    void theProcessFileAsksForTheProcessInTheGuest() throws IOException, DkvmException {
        JsonObject rewritten = rewritten(byFile("tool"));
        assertThat(process).as("the caller's").content().isEqualTo(PROCESS.formatted("tool"));
        List<String> args = Json.strings(rewritten, "args");
        assertThat(args)
                .startsWith(
                        "/opt/dkvm/dkvm-exec", "--user", "5:6", "--groups", "6", "--cwd", "/etc", "--caps", "1:0:0:0:0")
                .containsSequence("--rlimit", "7:1:2")
                .endsWith("--set-home", "--tty", "--", "tool", "x y");
        assertThat(Json.strings(rewritten, "env"))
                .startsWith(MonitorCommand.ENVIRONMENT.toArray(String[]::new))
                .endsWith("+PATH=/bin", "+A=b")
                .hasSize(4);
        assertThat(rewritten.get("user")).hasToString("{\"uid\":0,\"gid\":0}");
        assertThat(rewritten.get("cwd").getAsString()).isEqualTo("/");
        assertThat(rewritten.get("capabilities")).hasToString("{\"bounding\":[],\"effective\":[],\"permitted\":[]}");
        assertThat(rewritten.get("noNewPrivileges").getAsBoolean()).isTrue();
        assertThat(rewritten.has("rlimits")).isFalse();
        assertThat(rewritten.get("apparmorProfile").getAsString()).isEqualTo("docker-default");
        assertThat(rewritten.get("terminal").getAsBoolean()).isTrue();
        assertThat(rewritten.has("consoleSize")).isTrue();
    }

    @Test
    void aMissingProgramIsRefusedInRuncsWords() throws IOException {
        ExecRequest request = byFile("nope");
        assertThatThrownBy(() -> run(request, own))
                .isInstanceOf(DkvmException.class)
                .hasMessage("exec failed: unable to start container process: exec: \"nope\":"
                        + " executable file not found in $PATH");
        assertThat(Json.strings(read(), "args")).containsExactly("nope", "x y");
    }

    @Test
    void aMissingWorkingDirectoryIsRefusedInRuncsWords() throws IOException {
        ExecRequest request = byFile("tool");
        Files.delete(directory.resolve("image/etc"));
        assertThatThrownBy(() -> run(request, own))
                .isInstanceOf(DkvmException.class)
                .hasMessage("exec failed: unable to start container process: chdir to cwd (\"/etc\") set in config.json"
                        + " failed: no such file or directory");
    }

    private JsonObject read() {
        try {
            return Json.readObject(process);
        } catch (DkvmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aContainerThatIsNoVmIsLeftToRunc() throws IOException, DkvmException {
        Files.delete(bundle.resolve("dkvm-sandbox.json"));
        assertThat(run(byFile("nope"), own)).isEqualTo(new Exec.Untouched());
        assertThat(process).content().isEqualTo(PROCESS.formatted("nope"));
    }

    @Test
    void aContainerThatIsNotThereIsLeftToRunc() throws IOException, DkvmException {
        Files.delete(state.resolve("state.json"));
        assertThat(run(byFile("nope"), own)).isEqualTo(new Exec.Untouched());
    }

    @Test
    void crunsStateIsUnderstood() throws IOException, DkvmException {
        Files.delete(state.resolve("state.json"));
        Files.writeString(state.resolve("status"), "{\"bundle\":\"%s\"}".formatted(bundle));
        assertThat(Json.strings(rewritten(byFile("tool")), "args")).startsWith("/opt/dkvm/dkvm-exec");
    }

    private void startedFrom(Path sandbox) throws IOException {
        Files.writeString(
                state.resolve("state.json"),
                "{\"config\":{\"rootfs\":\"%s\",\"labels\":[\"bundle=%s\"]}}".formatted(sandbox, bundle));
    }

    @Test
    void aVmOfAnotherVersionIsThatVersions() throws IOException, DkvmException {
        Path other = Files.createDirectories(directory.resolve("versions/0"));
        Path launcher = other.resolve("scripts/dkvm-runtime");
        startedFrom(Files.createDirectories(other.resolve("sandbox")));
        Files.createDirectories(launcher.getParent());
        Files.writeString(launcher, "");
        Files.setPosixFilePermissions(launcher, PosixFilePermissions.fromString("rwxr-xr-x"));
        assertThat(run(byFile("tool"), own)).isEqualTo(new Exec.OtherVersion(launcher));

        Path link = Files.createSymbolicLink(directory.resolve("current"), other);
        PlainRooted.install(other);
        assertThat(run(byFile("tool"), new PackageLayout(link)))
                .as("the same one by another path")
                .isInstanceOf(Exec.Rewritten.class);
    }

    @Test
    void aVmOfAVersionThatIsGoneIsServedAsWellAsItGoes() throws IOException, DkvmException {
        startedFrom(directory.resolve("versions/gone/sandbox"));
        assertThat(Json.strings(rewritten(byFile("tool")), "args")).startsWith("/opt/dkvm/dkvm-exec");
    }

    @Test
    void argumentsBecomeAProcessForRunc() throws DkvmException {
        JsonObject rewritten = rewritten(new ExecRequest(new ContainerId("id1"), state, arguments("tool", "-x")));
        assertThat(Json.strings(rewritten, "args"))
                .startsWith(
                        "/opt/dkvm/dkvm-exec",
                        "--user",
                        "7:8",
                        "--groups",
                        "9",
                        "--cwd",
                        "/tmp",
                        "--caps",
                        "21:21:21:0:0",
                        "--no-new-privs")
                .endsWith("--", "tool", "-x");
        assertThat(Json.strings(rewritten, "env"))
                .endsWith("+PATH=/bin", "+C=d", "+X=1")
                .hasSize(5);
    }

    @Test
    void aProcessWithoutCapabilitiesHasItsContainers() throws IOException, DkvmException {
        ExecRequest request = byFile("tool");
        JsonObject json = read();
        json.remove("capabilities");
        Files.writeString(process, Json.write(json));
        assertThat(Json.strings(rewritten(request), "args")).containsSequence("--caps", "20:20:20:0:0");
    }

    @Test
    void aContainerThatHasNotBeenStartedRunsNothing() throws IOException {
        Files.writeString(state.resolve("exec.fifo"), "");
        ExecRequest request = byFile("tool");
        assertThatThrownBy(() -> run(request, own))
                .isInstanceOf(DkvmException.class)
                .hasMessage("cannot exec in a container that has not been started: \"id1\"");
    }

    @Test
    void aCapabilityThatNobodyKnowsIsLeftOutWithAWarning() throws IOException, DkvmException {
        ExecRequest request = byFile("tool");
        Files.writeString(process, Files.readString(process).replace("[\"CAP_CHOWN\"]", "[\"CAP_CHOWN\",\"CAP_X\"]"));
        List<String> warnings = new ArrayList<>();
        Exec.Rewritten result = (Exec.Rewritten) Exec.run(request, own, warnings::add);
        assertThat(Json.strings(result.process(), "args")).containsSequence("--caps", "1:0:0:0:0");
        assertThat(warnings).containsExactly("ignoring unknown or unavailable capabilities: [CAP_X]");
    }
}
