// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ProgramHeaderTest {
    private static final String NOTHING = "nothing";

    @TempDir
    Path directory;

    private Path root;
    private RootedTree tree;

    @BeforeEach
    void makeAnImage() throws IOException {
        root = Files.createDirectories(directory.resolve("image"));
        Files.createDirectories(root.resolve("work"));
        Files.createDirectories(root.resolve("bin"));
        Files.write(root.resolve("bin/busybox"), ElfFile.of(ElfFile.AARCH64));
        Files.createSymbolicLink(root.resolve("bin/sh"), Path.of("busybox"));
        Files.createSymbolicLink(root.resolve("bin/abs"), Path.of("/bin/busybox"));
        tree = new RootedTree(root, new PlainReader());
        tree.addHidden("/scratch");
    }

    private void write(String path, String text) throws IOException {
        Files.writeString(root.resolve(path), text, StandardCharsets.ISO_8859_1);
    }

    private String header(String program) {
        return ProgramHeader.of(tree, program, "/work").map(ElfHeader::name).orElse(NOTHING);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/bin/busybox", "/bin/sh", "/bin/abs", "/bin/../../bin/./sh"})
    void aProgramSaysForWhichMachineItIs(String program) {
        assertThat(header(program)).isEqualTo("arm64");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "#!/bin/sh\n",
                "#!/bin/sh",
                "#! \t /bin/abs -x y\nrest",
                "#!/bin/sh\0\n",
                "#!../bin/sh\n",
                "#!/bin/sh\r/../sh\n"
            })
    void aScriptsInterpreterDoes(String text) throws IOException {
        Files.createDirectories(root.resolve("bin/sh\r"));
        write("script", text);
        assertThat(header("/script")).isEqualTo("arm64");
    }

    @Test
    void anInterpreterMayBeAScriptAsOftenAsTheKernelFollows() throws IOException {
        write("s1", "#!/bin/sh\n");
        for (int i = 2; i <= 6; i++) {
            write("s" + i, "#!/s" + (i - 1) + "\n");
        }
        assertThat(header("/s5")).isEqualTo("arm64");
        assertThat(header("/s6")).isEqualTo(NOTHING);
        write("self", "#!/self\n");
        assertThat(header("/self")).isEqualTo(NOTHING);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "#",
                "#!",
                "#!\n/bin/sh\n",
                "#!   \n",
                "echo hi\n",
                "\177EL",
                "\177ELF\2\1\1",
                "#!/nowhere\n",
                "#!/scratch/sh\n",
                "#!/bin\n",
                "#!/bin/sh/x\n",
                "\377\376#!/bin/sh\n"
            })
    void whatIsNeitherSaysNothing(String text) throws IOException {
        write("program", text);
        assertThat(header("/program")).isEqualTo(NOTHING);
    }

    @Test
    void anInterpretersPathEndsWhereTheKernelLooks() throws IOException {
        String path = "/bin/" + "./".repeat(124);
        write("long", "#!" + path + "sh\n");
        assertThat(path.length() + 4).isGreaterThan(256);
        assertThat(header("/long")).isEqualTo(NOTHING);
        write("fits", "#!/bin/" + "./".repeat(122) + "sh\n");
        assertThat(header("/fits")).isEqualTo("arm64");
    }

    @Test
    @Timeout(value = 10, unit = TimeUnit.SECONDS)
    void nothingButARegularFileOfTheImageIsOpened() throws Exception {
        assertThat(new ProcessBuilder("mkfifo", root.resolve("fifo").toString())
                        .start()
                        .waitFor())
                .isZero();
        Files.write(directory.resolve("outside"), ElfFile.of(ElfFile.X86_64));
        Files.createSymbolicLink(root.resolve("out"), Path.of("../outside"));
        Files.createSymbolicLink(root.resolve("loop"), Path.of("loop"));
        for (String program : new String[] {"/fifo", "/out", "/loop", "/missing", "/bin", "/scratch/x", "/bin/sh/x"}) {
            assertThat(header(program)).as(program).isEqualTo(NOTHING);
        }
        write("script", "#!/fifo\n");
        assertThat(header("/script")).isEqualTo(NOTHING);
    }

    @Test
    void aProgramMayBeMounted() throws IOException {
        Path volume = Files.createDirectories(directory.resolve("volume"));
        Files.write(volume.resolve("tool"), ElfFile.of(ElfFile.X86_64));
        Files.createSymbolicLink(volume.resolve("link"), volume.resolve("tool"));
        tree.addBind("/opt", volume);
        tree.addBind("/bin/tool", volume.resolve("link"));
        assertThat(header("/opt/tool")).isEqualTo("amd64");
        // The engine's source is a link: it was followed when it was mounted.
        assertThat(header("/bin/tool")).isEqualTo("amd64");
    }
}
