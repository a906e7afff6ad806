// SPDX-License-Identifier: Apache-2.0
package org.dkvm.update;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.bundle.options.HostConfig;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.core.PackageLayout;
import org.dkvm.linux.Program;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UpdateTest {
    /** A VM of 256 MiB under TCG, whose overhead is 320 MiB, with 50 processes at most, that may grow to 2 CPUs and 4 GiB. */
    private static final String PLAN = """
            {"vm":{"kernel":{"name":"dkvm/1","architecture":"AMD64","image":"vmlinux","append":"","debug":false},"accelerator":"TCG",
               "cpus":1,"memory":268435456,"mostCpus":2,"mostMemory":4294967296,"firmwareDebug":false,"hostname":"","domainname":"","sysctls":{},"network":"OWN"},
             "rights":{"sysAdmin":false},"mounts":{"points":[]},
             "containers":[{"id":"id1","process":{"args":["x"],"env":[],"cwd":"/","uid":0,"gid":0,"groups":[],"terminal":false,
               "capabilities":{"bounding":0,"effective":0,"permitted":0,"inheritable":0,"ambient":0},"noNewPrivileges":false,
               "limits":[],"oomScoreAdj":0,"setHome":true,"umask":18},
               "init":false,"rootReadOnly":false,"mounts":[],"cgroups":"V2","pidsLimit":50}]}
            """;

    private static final PackageLayout OWN = new PackageLayout(Path.of("/opt/dkvm"));

    @TempDir
    Path directory;

    private final List<String> ran = new ArrayList<>();
    private String vmSays = "";
    private String runcSays = "";
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

    /** Writes down what it is told, and fails where it has something to say. */
    private final class FakeRunc implements Update.Runc {
        @Override
        public Program.Result exec(List<String> command) {
            ran.add(String.join(" ", command));
            return new Program.Result(vmSays.isEmpty() ? 0 : 126, vmSays);
        }

        @Override
        public Program.Result update(Path resources) {
            try {
                ran.add(Files.readString(resources).strip());
            } catch (IOException e) {
                throw new AssertionError(e);
            }
            return new Program.Result(runcSays.isEmpty() ? 0 : 1, runcSays);
        }
    }

    private List<String> update(String resources) throws DkvmException {
        ran.clear();
        assertThat(Update.run(state, "-", input(resources), HostConfig.defaults(), new FakeRunc(), OWN))
                .contains(Update.DONE);
        return List.copyOf(ran);
    }

    private void assertRefused(String resources, String message) {
        assertThatThrownBy(() -> update(resources))
                .isInstanceOf(DkvmException.class)
                .hasMessageContaining(message);
    }

    private static String change(String words) {
        return "/opt/dkvm/dkvm-exec --update " + words;
    }

    @Test
    void whatIsTheSandboxsPassesAsItIs() throws DkvmException {
        String resources =
                "{\"cpu\":{\"shares\":512,\"quota\":50000,\"period\":100000,\"cpus\":\"0\"},\"new\":{\"limit\":1}}";
        assertThat(update(resources)).containsExactly(resources);
        assertThat(update("{\"memory\":{\"swap\":-1}}")).containsExactly("{\"memory\":{\"swap\":-1}}");
    }

    @Test
    void theVmComesFirstThenTheSandboxWithItsOverhead() throws DkvmException {
        assertThat(update("{\"memory\":{\"limit\":536870912,\"swap\":1073741824,\"reservation\":1048576}}"))
                .containsExactly(
                        change("536870912:0:0"),
                        "{\"memory\":{\"limit\":872415232,\"swap\":1409286144,\"reservation\":1048576}}");
        assertThat(update("{\"memory\":{\"limit\":536870912}}")).containsExactly("{\"memory\":{\"limit\":872415232}}");
        assertThat(update("{\"memory\":{\"limit\":268435456}}"))
                .containsExactly(change("268435456:0:0"), "{\"memory\":{\"limit\":603979776}}");
    }

    @Test
    void processorsAreCountedAsAtTheStart() throws DkvmException {
        assertThat(update("{\"cpu\":{\"quota\":150000,\"period\":100000}}").getFirst())
                .isEqualTo(change("0:2:0"));
        assertThat(update("{\"cpu\":{\"quota\":0,\"period\":0,\"cpus\":\"\",\"shares\":2}}"))
                .hasSize(1);
        assertThat(update("{\"cpu\":{\"period\":200000}}").getFirst()).isEqualTo(change("0:1:0"));
    }

    @Test
    void theLimitOfProcessesIsTheGuests() throws DkvmException {
        assertThat(update("{\"pids\":{\"limit\":50}}")).containsExactly("{}");
        assertThat(update("{\"pids\":{\"limit\":100}}")).containsExactly(change("0:0:100"), "{}");
        assertThat(update("{\"pids\":{\"limit\":-1}}")).containsExactly(change("0:0:18446744073709551615"), "{}");
        assertThat(update("{\"pids\":{\"limit\":0}}")).containsExactly("{}");
    }

    @Test
    void whatTheVmCanNotBecomeIsRefusedBeforeAnythingIsDone() {
        assertRefused("{\"memory\":{\"limit\":8589934592}}", "this VM can have 4096 MiB of memory while it runs");
        assertRefused("{\"memory\":{\"limit\":33554432}}", "is too small for a VM");
        assertRefused("{\"memory\":{\"limit\":-1}}", "can not be without one");
        assertThat(ran).isEmpty();
    }

    @Test
    void aVmThatFailsIsToldToGoBackAndRuncIsNotAsked() throws DkvmException {
        vmSays = "the guest uses its memory";
        assertRefused("{\"memory\":{\"limit\":134217728}}", "the guest uses its memory");
        assertThat(ran).containsExactly(change("134217728:0:0"), change("268435456:0:0"));
        vmSays = "";
        assertThat(update("{\"memory\":{\"limit\":134217728}}")).hasSize(2);
    }

    @Test
    void theSizeThatHoldsIsThatOfTheLastUpdate() throws DkvmException {
        assertThat(CurrentSize.of(state)).isEmpty();
        update("{\"memory\":{\"limit\":134217728},\"cpu\":{\"quota\":150000,\"period\":100000}}");
        assertThat(CurrentSize.of(state)).contains(new CurrentSize(MemorySize.ofMib(128), 2));
        runcSays = "no such processor";
        assertRefused("{\"memory\":{\"limit\":268435456}}", "no such processor");
        assertThat(CurrentSize.of(state)).contains(new CurrentSize(MemorySize.ofMib(128), 2));
        assertThat(CurrentSize.of(directory.resolve("root/id2"))).isEmpty();
    }

    @Test
    void whatRuncRefusesLeavesTheVmAsItWas() {
        runcSays = "no such processor";
        assertRefused("{\"memory\":{\"limit\":536870912},\"pids\":{\"limit\":-1}}", "no such processor");
        assertThat(ran)
                .containsExactly(
                        change("536870912:0:18446744073709551615"),
                        "{\"memory\":{\"limit\":872415232}}",
                        change("268435456:0:50"));
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
        Update.run(state, file.toString(), input("not read"), HostConfig.defaults(), new FakeRunc(), OWN);
        assertThat(ran.getFirst()).contains("603979776");
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
        assertThat(Update.run(state, "-", input, HostConfig.defaults(), new FakeRunc(), OWN))
                .contains(launcher.toString());
        assertThat(input.available()).isEqualTo(2);
    }

    @Test
    void aContainerThatIsNoVmIsRuncsAndItsInputUnread() throws IOException, DkvmException {
        Files.delete(bundle.resolve("dkvm-sandbox.json"));
        InputStream input = input("{}");
        assertThat(Update.run(state, "-", input, HostConfig.defaults(), new FakeRunc(), OWN))
                .isEmpty();
        assertThat(Update.run(directory.resolve("root/id2"), "-", input, HostConfig.defaults(), new FakeRunc(), OWN))
                .isEmpty();
        assertThat(input.available()).isEqualTo(2);
    }
}
