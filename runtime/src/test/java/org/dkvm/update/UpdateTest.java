// SPDX-License-Identifier: Apache-2.0
package org.dkvm.update;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import org.dkvm.bundle.HostConfig;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.json.Json;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UpdateTest {
    /** A VM of 256 MiB under TCG, whose overhead is 320 MiB, with 50 processes at most. */
    private static final String PLAN = """
            {"id":"id1","process":{"args":["x"],"env":[],"cwd":"/","uid":0,"gid":0,"groups":[],"terminal":false,
              "capabilities":{"bounding":0,"effective":0,"permitted":0,"inheritable":0,"ambient":0},"noNewPrivileges":false,
              "limits":[],"oomScoreAdj":0,"setHome":true,"umask":18},
             "init":false,"mounts":[],"sysctls":{},"hostname":"","domainname":"","rootReadOnly":false,"cpus":1,
             "memory":268435456,"accelerator":"TCG","kernel":{"name":"dkvm/1","architecture":"AMD64","image":"vmlinux","append":"","debug":false},
             "cgroups":"V2","pidsLimit":50,"network":"OWN","sysAdmin":false,"biosDebug":false}
            """;

    private static final PackageLayout OWN = new PackageLayout(Path.of("/opt/dkvm"));

    @TempDir
    Path directory;

    private Path bundle;
    private Path state;

    @BeforeEach
    void runAContainer() throws IOException {
        bundle = Files.createDirectories(directory.resolve("bundle"));
        state = Files.createDirectories(directory.resolve("root/id1"));
        Files.writeString(bundle.resolve("dkvm-sandbox.json"), PLAN);
        Files.writeString(state.resolve("state.json"), "{\"config\":{\"labels\":[\"bundle=%s\"]}}".formatted(bundle));
    }

    private static InputStream input(String text) {
        return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
    }

    private JsonObject updated(String resources) throws DkvmException {
        Optional<Path> file = Update.run(state, "-", input(resources), HostConfig.defaults(), OWN);
        assertThat(file).contains(bundle.resolve(Update.RESOURCES_FILE));
        return Json.readObject(file.orElseThrow());
    }

    private void assertRefused(String resources, String message) {
        assertThatThrownBy(() -> updated(resources))
                .isInstanceOf(DkvmException.class)
                .hasMessageContaining(message);
        assertThat(bundle.resolve(Update.RESOURCES_FILE)).doesNotExist();
    }

    @Test
    void processorTimeAndUnknownLimitsPassAsTheyAre() throws DkvmException {
        String resources = "{\"cpu\":{\"quota\":50000,\"period\":100000,\"cpus\":\"0\"},\"new\":{\"limit\":1}}";
        assertThat(updated(resources)).isEqualTo(Json.parseObject(resources, ""));
    }

    @Test
    void theMemoryItHasIsRaisedByTheOverhead() throws DkvmException {
        assertThat(updated("{\"memory\":{\"limit\":268435456,\"swap\":536870912,\"reservation\":1048576}}"))
                .isEqualTo(Json.parseObject(
                        "{\"memory\":{\"limit\":603979776,\"swap\":872415232,\"reservation\":1048576}}", ""));
    }

    @Test
    void swapWithoutALimitStaysSo() throws DkvmException {
        assertThat(updated("{\"memory\":{\"swap\":-1}}")).isEqualTo(Json.parseObject("{\"memory\":{\"swap\":-1}}", ""));
    }

    @Test
    void otherMemoryIsRefused() {
        assertRefused("{\"memory\":{\"limit\":536870912}}", "the memory of a running VM, 256 MiB, can not be changed");
        assertRefused("{\"memory\":{\"limit\":-1}}", "can not be changed");
    }

    @Test
    void theLimitOfProcessesIsTheGuests() throws DkvmException {
        assertThat(updated("{\"pids\":{\"limit\":50}}")).isEqualTo(new JsonObject());
        assertRefusedPids("{\"pids\":{\"limit\":100}}");
        assertRefusedPids("{\"pids\":{\"limit\":-1}}");
    }

    private void assertRefusedPids(String resources) {
        assertThatThrownBy(() -> updated(resources))
                .isInstanceOf(DkvmException.class)
                .hasMessageContaining("limit of processes");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "[]", "{", "{\"memory\":{\"limit\":1e99}}x"})
    void whatIsNoJsonIsRefused(String text) {
        assertRefused(text, "standard input");
    }

    @Test
    void anEndlessInputIsRefused() {
        assertRefused(" ".repeat(2 * 1024 * 1024), "more than 1048576 bytes");
    }

    @Test
    void aFileIsReadAndStaysAsItIs() throws IOException, DkvmException {
        String text = "{\"memory\":{\"limit\":268435456}}";
        Path file = Files.writeString(directory.resolve("resources.json"), text);
        Path result = Update.run(state, file.toString(), input("not read"), HostConfig.defaults(), OWN)
                .orElseThrow();
        assertThat(Files.readString(result)).contains("603979776");
        assertThat(file).hasContent(text);
    }

    @Test
    void aVmOfAnotherVersionIsThatVersionsAndTheInputUnread() throws IOException, DkvmException {
        Path launcher = directory.resolve("versions/0/scripts/dkvm-runtime");
        Files.createDirectories(launcher.getParent());
        Files.writeString(launcher, "");
        Files.setPosixFilePermissions(launcher, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.writeString(
                state.resolve("state.json"),
                "{\"config\":{\"rootfs\":\"%s\",\"labels\":[\"bundle=%s\"]}}"
                        .formatted(directory.resolve("versions/0/sandbox"), bundle));
        InputStream input = input("{}");
        assertThat(Update.run(state, "-", input, HostConfig.defaults(), OWN)).contains(launcher);
        assertThat(input.available()).isEqualTo(2);
    }

    @Test
    void aContainerThatIsNoVmIsRuncsAndItsInputUnread() throws IOException, DkvmException {
        Files.delete(bundle.resolve("dkvm-sandbox.json"));
        InputStream input = input("{}");
        assertThat(Update.run(state, "-", input, HostConfig.defaults(), OWN)).isEmpty();
        assertThat(Update.run(directory.resolve("root/id2"), "-", input, HostConfig.defaults(), OWN))
                .isEmpty();
        assertThat(input.available()).isEqualTo(2);
    }
}
