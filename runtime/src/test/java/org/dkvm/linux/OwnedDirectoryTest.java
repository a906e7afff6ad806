// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OwnedDirectoryTest {
    @TempDir
    Path parent;

    private List<String> swept() throws IOException {
        List<String> swept = new ArrayList<>();
        OwnedDirectory.sweep(
                parent, ".making-", left -> swept.add(left.getFileName().toString()));
        return swept;
    }

    @Test
    void oneThatIsWorkedInStaysAndIsRemovedInTheEnd() throws IOException {
        OwnedDirectory owned = OwnedDirectory.make(parent, ".making-");
        Files.writeString(owned.path().resolve("file"), "x");
        assertThat(swept()).isEmpty();
        assertThat(owned.path().resolve("file")).exists();
        owned.close();
        assertThat(owned.path()).doesNotExist();
        assertThat(swept()).isEmpty();
    }

    @Test
    void oneOfAProcessThatIsGoneIsRemoved() throws IOException {
        for (String name : List.of(".making-1", ".making-2", "entry")) {
            Files.createDirectory(parent.resolve(name));
            Files.writeString(parent.resolve(name).resolve("large"), "x");
        }
        Files.writeString(parent.resolve(".making-1/.lock"), "");
        assertThat(swept()).containsExactlyInAnyOrder(".making-1", ".making-2");
        try (var left = Files.list(parent)) {
            assertThat(left.map(path -> path.getFileName().toString())).containsExactlyInAnyOrder("entry", ".lock");
        }
    }

    @Test
    void oneOfAnotherProcessThatLivesStays() throws Exception {
        Path theirs = Files.createDirectory(parent.resolve(".making-1"));
        Process other = new ProcessBuilder(
                        "/usr/bin/python3",
                        "-c",
                        "import fcntl,sys;f=open(sys.argv[1],'w');fcntl.lockf(f,fcntl.LOCK_EX);print(flush=True);input()",
                        theirs.resolve(".lock").toString())
                .start();
        try {
            assertThat(other.getInputStream().read()).isEqualTo('\n');
            assertThat(swept()).isEmpty();
        } finally {
            other.destroyForcibly().waitFor();
        }
        assertThat(swept()).containsExactly(".making-1");
    }

    /** Works in one directory after the other, as two commands that have jobs do. */
    static final class Worker {
        private static final int ROUNDS = 400;

        private Worker() {}

        public static void main(String[] args) throws IOException {
            Path parent = Path.of(args[0]);
            for (int i = 0; i < ROUNDS; i++) {
                OwnedDirectory.sweep(parent, ".making-", left -> {
                    throw new IOException("\"" + left + "\" was somebody's");
                });
                try (OwnedDirectory owned = OwnedDirectory.make(parent, ".making-")) {
                    Files.writeString(owned.path().resolve("file"), "x");
                }
            }
        }
    }

    @Test
    void oneThatIsBeingRemovedIsNotRemovedByAnotherToo() throws Exception {
        List<Process> workers = new ArrayList<>();
        try {
            for (int i = 0; i < 2; i++) {
                workers.add(new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin/java")
                                        .toString(),
                                "-Xint",
                                "-cp",
                                System.getProperty("java.class.path"),
                                Worker.class.getName(),
                                parent.toString())
                        .redirectErrorStream(true)
                        .redirectOutput(parent.resolve("said-" + i).toFile())
                        .start());
            }
            for (int i = 0; i < workers.size(); i++) {
                int code = workers.get(i).waitFor();
                assertThat(parent.resolve("said-" + i)).isEmptyFile();
                assertThat(code).isZero();
            }
        } finally {
            workers.forEach(Process::destroyForcibly);
        }
    }

    @Test
    void whereThereIsNoDirectoryNothingIsLeft() throws IOException {
        OwnedDirectory.sweep(parent.resolve("none"), ".making-", left -> {
            throw new IOException("there is none");
        });
        assertThat(parent.resolve("none")).doesNotExist();
    }
}
