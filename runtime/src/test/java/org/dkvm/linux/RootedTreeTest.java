// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.dkvm.linux.RootedTree.Found;
import org.dkvm.linux.RootedTree.Kind;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RootedTreeTest {
    @TempDir
    Path directory;

    private Path root;
    private RootedTree tree;

    @BeforeEach
    void makeATree() throws IOException {
        root = Files.createDirectories(directory.resolve("root"));
        Files.createDirectories(root.resolve("etc"));
        Files.createDirectories(root.resolve("run/lock"));
        Files.createDirectories(root.resolve("empty"));
        Files.createDirectories(root.resolve("var"));
        Files.writeString(root.resolve("etc/passwd"), "");
        Files.createFile(
                root.resolve("tool"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        link("var/run", "/run");
        link("var/up", "../../../../../run");
        link("abs", "/etc/passwd");
        link("out", "/../../../../" + directory + "/secret");
        link("self", "/proc/self/root");
        link("loop", "loop");
        link("a", "b");
        link("b", "a");
        link("dangling", "/nowhere/x");
        link("odd", "missing/../var/run");
        Files.writeString(directory.resolve("secret"), "");
        tree = new RootedTree(root, new PlainReader());
        tree.addHidden("/proc");
    }

    private void link(String name, String target) throws IOException {
        Files.createSymbolicLink(root.resolve(name), Path.of(target));
    }

    @ParameterizedTest
    @CsvSource({
        "/etc/passwd, /etc/passwd, FILE",
        "/etc, /etc, DIRECTORY",
        "/, /, DIRECTORY",
        "/etc/./../etc//passwd, /etc/passwd, FILE",
        "/../../etc, /etc, DIRECTORY",
        "/var/run, /run, DIRECTORY",
        "/var/run/lock, /run/lock, DIRECTORY",
        "/var/run/new/dir, /run/new/dir, MISSING",
        "/var/up/lock, /run/lock, DIRECTORY",
        "/abs, /etc/passwd, FILE",
        "/abs/x, /etc/passwd/x, NOT_A_DIRECTORY",
        "/dangling, /nowhere/x, MISSING",
        "/dangling/y, /nowhere/x/y, MISSING",
        "/empty/x, /empty/x, MISSING_IN_EMPTY",
        "/self/etc, /proc/self/root/etc, HIDDEN",
        "/odd/lock, /run/lock, MISSING",
        "/new/../etc/passwd, /etc/passwd, MISSING"
    })
    void aPathIsWalkedAsTheKernelWouldInsideTheTree(String path, String resolved, Kind kind) {
        Found found = tree.find(path);
        assertThat(found.path()).isEqualTo(resolved);
        assertThat(found.kind()).isEqualTo(kind);
    }

    @ParameterizedTest
    @CsvSource({"/loop", "/a", "/loop/x", "/b/c"})
    void aLoopOfLinksEnds(String path) {
        assertThat(tree.find(path).kind()).isEqualTo(Kind.TOO_MANY_LINKS);
    }

    @Test
    void aLinkThatClimbsOutStaysInside() {
        Found found = tree.find("/out");
        assertThat(found.kind()).isEqualTo(Kind.MISSING);
        assertThat(found.path()).isEqualTo(directory + "/secret");
    }

    @Test
    void fortyLinksAreFollowedAndOneMoreIsNot() throws IOException {
        link("l0", "/etc");
        for (int i = 1; i <= 40; i++) {
            link("l" + i, "l" + (i - 1));
        }
        assertThat(tree.find("/l39").kind()).isEqualTo(Kind.DIRECTORY);
        assertThat(tree.find("/l40").kind()).isEqualTo(Kind.TOO_MANY_LINKS);
    }

    @Test
    void aMountCoversWhatIsBelowIt() throws IOException {
        Path volume = Files.createDirectories(directory.resolve("volume/sub"));
        Files.createSymbolicLink(volume.resolve("up"), Path.of("../../../etc"));
        tree.addBind("/run", directory.resolve("volume"));
        assertThat(tree.find("/var/run/sub").kind()).isEqualTo(Kind.DIRECTORY);
        assertThat(tree.find("/run/lock").kind()).isEqualTo(Kind.MISSING);
        // From inside, a volume's links lead into the image, not to the volume's place on the host.
        assertThat(tree.find("/run/sub/up").path()).isEqualTo("/etc");
    }

    @Test
    void aMountInAMountIsSeen() throws IOException {
        tree.addBind("/run", Files.createDirectories(directory.resolve("outer")));
        Path inner = Files.createDirectories(directory.resolve("inner"));
        Files.writeString(inner.resolve("f"), "");
        tree.addBind("/run/inner", inner);
        assertThat(tree.find("/run/inner/f").kind()).isEqualTo(Kind.FILE);
    }

    @Test
    void aMountedFileIsAFile() throws IOException {
        Path file = Files.writeString(directory.resolve("hosts"), "");
        tree.addBind("/etc/hosts", Files.createSymbolicLink(directory.resolve("link"), file));
        assertThat(tree.find("/etc/hosts").kind()).isEqualTo(Kind.FILE);
    }

    @Test
    void whatOnlyTheGuestHasIsHidden() {
        tree.addHidden("/run");
        assertThat(tree.find("/var/run/x").kind()).isEqualTo(Kind.HIDDEN);
        assertThat(tree.find("/var/run/x").path()).isEqualTo("/run/x");
        assertThat(tree.find("/runner").kind()).isEqualTo(Kind.MISSING);
    }

    @Test
    void executeBitsAreSeen() {
        assertThat(tree.find("/tool").executable()).isTrue();
        assertThat(tree.find("/etc/passwd").executable()).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"/weird", "/weird/x"})
    void namesThatAreNoUtf8AreNotThere(String path) throws IOException, InterruptedException {
        // Java itself can not write such a link in every locale.
        Process shell = new ProcessBuilder("sh", "-c", "ln -s \"$(printf 'n\\377\\376')\" weird")
                .directory(root.toFile())
                .start();
        assertThat(shell.waitFor()).isZero();
        assertThat(tree.find(path).kind()).isEqualTo(Kind.MISSING);
    }

    @Test
    void aNulInAPathIsNotThere() {
        assertThat(tree.find("/etc/\u0000").kind()).isEqualTo(Kind.MISSING);
    }

    @ParameterizedTest
    @CsvSource({"/a/b,/a,true", "/a,/a,true", "/ab,/a,false", "/,/a,false"})
    void aPathIsBelowADirectoryByWholeNames(String path, String directoryPath, boolean below) {
        assertThat(RootedTree.isAtOrBelow(path, directoryPath)).isEqualTo(below);
    }

    @Test
    void aTreeThatNeverEndsIsNotLookedAtForEver() throws IOException {
        link("long", "etc/../".repeat(500) + "etc/passwd");
        assertThat(tree.find("/long")).isEqualTo(new Found("/etc/passwd", Kind.FILE, false));
        for (int i = 0; i * 500 < RootedTree.MOST_LOOKS; i++) {
            tree.find("/long");
        }
        assertThat(tree.find("/etc/passwd").kind()).isEqualTo(Kind.HIDDEN);
        assertThat(new RootedTree(root, new PlainReader()).find("/etc/passwd").kind())
                .isEqualTo(Kind.FILE);
    }

    @Test
    void whatCanNotBeLookedAtIsAsGoodAsMissing() {
        RootedTree dark = new RootedTree(root, new DarkReader());
        assertThat(dark.find("/etc/passwd")).isEqualTo(new Found("/etc/passwd", Kind.MISSING, false));
        FileUser nobody = new FileUser(65534, 65534, List.of(), false);
        assertThat(dark.barsTheWay("/etc/passwd", nobody)).isFalse();
        assertThat(dark.barsExecution("/etc/passwd", nobody)).isFalse();
    }

    @Test
    void everyLookIsCounted() {
        DarkReader reader = new DarkReader();
        reader.all = RootedReader.Look.MISSING;
        RootedTree tree = new RootedTree(root, reader);
        for (int i = 0; i < RootedTree.MOST_LOOKS; i++) {
            tree.find("/etc/nothing/here");
        }
        tree.barsExecution("/etc/nothing", new FileUser(65534, 65534, List.of(), false));
        assertThat(reader.looks).isEqualTo(RootedTree.MOST_LOOKS);
    }

    /** Sees nothing, or the same everywhere. */
    private static final class DarkReader implements RootedReader {
        private Look all = Look.UNKNOWN;
        private int looks;

        @Override
        public byte[] head(Path root, String path, int most) {
            return new byte[0];
        }

        @Override
        public Look look(Path root, String path) {
            looks++;
            return all.isMissing() && path.equals("/etc") ? new Look(HostFiles.TYPE_DIRECTORY, 0, 0, "") : all;
        }

        @Override
        public boolean isEmpty(Path root, String path) {
            looks++;
            return false;
        }
    }
}
