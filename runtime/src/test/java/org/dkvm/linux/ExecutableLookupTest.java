// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.dkvm.linux.ExecutableLookup.Outcome;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each case was tried with runc 1.1.5. */
class ExecutableLookupTest {
    private static final FileUser ROOT = new FileUser(0, 0, List.of(), true);
    /** Owns nothing here. */
    private static final FileUser STRANGER = new FileUser(4_000_000, 4_000_000, List.of(), false);

    @TempDir
    Path root;

    private RootedTree tree;

    @BeforeEach
    void makeAnImage() throws IOException {
        Files.createDirectories(root.resolve("bin/adir"));
        Files.createDirectories(root.resolve("etc"));
        Files.createDirectories(root.resolve("mnt"));
        Files.createFile(
                root.resolve("bin/busybox"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        Files.writeString(root.resolve("etc/noexec"), "");
        Files.createSymbolicLink(root.resolve("bin/echo"), Path.of("busybox"));
        Files.createSymbolicLink(root.resolve("bin/dangling"), Path.of("nowhere"));
        Files.createSymbolicLink(root.resolve("bin/loop"), Path.of("loop"));
        tree = new RootedTree(root, new PlainReader());
        tree.addHidden("/scratch");
    }

    private Outcome find(String program, String path, String cwd) {
        return find(program, path, cwd, ROOT).outcome();
    }

    private ExecutableLookup.Result find(String program, String path, String cwd, FileUser user) {
        return new ExecutableLookup(tree, user, false).find(program, List.of("X=y", "PATH=" + path), cwd);
    }

    @ParameterizedTest
    @CsvSource({
        "echo, FOUND",
        "foo, NOT_IN_PATH",
        "noexec, NOT_IN_PATH",
        "adir, NOT_IN_PATH",
        "dangling, NOT_IN_PATH",
        "loop, NOT_IN_PATH",
        "'', NOT_IN_PATH",
        "/foo, NO_SUCH_FILE",
        "./foo, NO_SUCH_FILE",
        "/etc, PERMISSION_DENIED",
        "/etc/noexec, PERMISSION_DENIED",
        "/bin/dangling, NO_SUCH_FILE",
        "/bin/loop, TOO_MANY_LINKS",
        "/bin/busybox/x, NOT_A_DIRECTORY",
        "/bin/echo/, NOT_A_DIRECTORY",
        "/bin/echo/., NOT_A_DIRECTORY",
        "/bin/., PERMISSION_DENIED",
        "/bin/echo, FOUND",
        "/scratch/x, UNKNOWN"
    })
    void aProgramIsLookedUpAsRuncDoes(String program, Outcome outcome) {
        assertThat(find(program, "/etc:/usr/bin:/bin", "/")).isEqualTo(outcome);
    }

    @Test
    void whereTheProgramIsIsToldWithoutLinks() {
        assertThat(find("echo", "/etc:/bin", "/", ROOT))
                .isEqualTo(new ExecutableLookup.Result(Outcome.FOUND, "/bin/echo", "/bin/busybox"));
        assertThat(find("/scratch/x", "", "/", ROOT).file()).isEmpty();
        assertThat(find("foo", "/bin", "/", ROOT).file()).isEmpty();
    }

    @Test
    void aPathWithASlashStartsInTheWorkingDirectory() {
        assertThat(find("./echo", "/bin", "/bin")).isEqualTo(Outcome.FOUND);
        assertThat(find("./noexec", "/bin", "/etc")).isEqualTo(Outcome.PERMISSION_DENIED);
    }

    @ParameterizedTest
    @CsvSource({".:/x", ":/x", "/x:"})
    void aRelativeDirectoryOfThePathIsRefused(String path) {
        assertThat(find("echo", path, "/bin")).isEqualTo(Outcome.RELATIVE);
    }

    @Test
    void withoutAPathNothingIsFound() {
        assertThat(new ExecutableLookup(tree, ROOT, false)
                        .find("echo", List.of(), "/bin")
                        .outcome())
                .isEqualTo(Outcome.NOT_IN_PATH);
        assertThat(find("echo", "", "/bin")).isEqualTo(Outcome.NOT_IN_PATH);
    }

    @Test
    void aHiddenDirectoryOfThePathLeavesItOpen() {
        assertThat(find("foo", "/scratch:/bin", "/")).isEqualTo(Outcome.UNKNOWN);
        assertThat(find("echo", "/scratch:/bin", "/")).isEqualTo(Outcome.FOUND);
    }

    @Test
    void anEmptyDirectoryOfARunningContainerMayHoldAMount() {
        ExecutableLookup running = new ExecutableLookup(tree, ROOT, true);
        assertThat(running.find("/mnt/tool", List.of(), "/").outcome()).isEqualTo(Outcome.UNKNOWN);
        assertThat(running.find("/bin/tool", List.of(), "/").outcome()).isEqualTo(Outcome.NO_SUCH_FILE);
        assertThat(find("/mnt/tool", "", "/")).isEqualTo(Outcome.NO_SUCH_FILE);
    }

    @ParameterizedTest
    @CsvSource({
        "rwx------, EXECUTION_BARRED",
        "rw-rw-r--, PERMISSION_DENIED",
        "rwxr-xr-x, FOUND",
        "rwx-----x, FOUND",
        // An access control list may be behind the group's bit.
        "rwxr-x---, FOUND"
    })
    void anotherUsersProgram(String mode, Outcome outcome) throws IOException {
        Files.setPosixFilePermissions(root.resolve("bin/busybox"), PosixFilePermissions.fromString(mode));
        assertThat(find("/bin/echo", "", "/", STRANGER))
                .isEqualTo(new ExecutableLookup.Result(
                        outcome, "/bin/echo", outcome == Outcome.PERMISSION_DENIED ? "" : "/bin/busybox"));
    }

    @Test
    void anotherUsersProgramOfThePathIsFoundAndBarred() throws IOException {
        Files.setPosixFilePermissions(root.resolve("bin/busybox"), PosixFilePermissions.fromString("rwx------"));
        assertThat(find("echo", "/etc:/bin:/mnt", "/", STRANGER))
                .isEqualTo(new ExecutableLookup.Result(Outcome.EXECUTION_BARRED, "/bin/echo", "/bin/busybox"));
    }

    @Test
    void aDirectoryCanBarTheWay() throws IOException {
        Files.setPosixFilePermissions(root.resolve("bin"), PosixFilePermissions.fromString("rwx------"));
        assertThat(find("/bin/echo", "", "/", STRANGER).outcome()).isEqualTo(Outcome.WAY_BARRED);
        assertThat(find("echo", "/bin", "/", STRANGER).outcome()).isEqualTo(Outcome.NOT_IN_PATH);
        assertThat(find("/bin/echo", "", "/", ROOT).outcome()).isEqualTo(Outcome.FOUND);
    }

    @Test
    void theOwnersBitsAreTheOwners() {
        FileUser owner = new FileUser(7, 8, List.of(9L), false);
        assertThat(owner.isBarred(0077, 7, 8)).isTrue();
        assertThat(owner.isBarred(0100, 7, 0)).isFalse();
        assertThat(owner.isBarred(0701, 0, 9)).isTrue();
        assertThat(owner.isBarred(0701, 0, 0)).isFalse();
    }

    @Test
    void theLastValueOfAVariableCounts() {
        assertThat(ExecutableLookup.value(List.of("A=1", "AB=2", "A=3", "A"), "A"))
                .isEqualTo("3");
        assertThat(ExecutableLookup.value(List.of(), "A")).isEmpty();
    }
}
