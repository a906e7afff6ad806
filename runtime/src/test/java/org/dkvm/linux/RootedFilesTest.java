// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.linux.RootedReader.Look;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Against a program that answers with what it was asked for; native/tests/rooted_test.c has the real one. */
class RootedFilesTest {
    private static final String ECHO = """
            #!/usr/bin/python3
            import struct, sys
            number = 0
            while header := sys.stdin.buffer.read(8):
                most, root, path = struct.unpack('<IHH', header)
                number += 1
                text = b'%d %d %s %s' % (number, most, sys.stdin.buffer.read(root), sys.stdin.buffer.read(path))
                if most >= 0xfffffffe:
                    text = {b'look': struct.pack('<III', 0o120777, 7, 8) + text, b'true': b'\\1', b'miss': b''}.get(text[-4:], text)
                size = {b'none': 0xffffffff, b'more': 5000}.get(text[-4:], len(text))
                sys.stdout.buffer.write(struct.pack('<I', size) + (text if size == len(text) else b''))
                sys.stdout.buffer.flush()
                if text[-4:] == b'last':
                    break
            """;

    private static final Path ROOT = Path.of("/root");

    @TempDir
    Path directory;

    private RootedFiles files(String program) throws IOException {
        return new RootedFiles(
                PlainRooted.write(directory.resolve("program"), program).toString());
    }

    /** As the launcher starts it, but for whose descriptors they are. */
    private static RootedFiles beside(Process program) {
        String descriptors = "/proc/" + program.pid() + "/fd/";
        return new RootedFiles("", descriptors + 1, descriptors + 0);
    }

    private Process echo() throws IOException {
        return new ProcessBuilder(
                        PlainRooted.write(directory.resolve("echo"), ECHO).toString())
                .start();
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** Whatever is asked. */
    private static void tellsNothing(RootedFiles files) {
        assertThat(files.head(ROOT, "/a", 256)).isEmpty();
        assertThat(files.look(ROOT, "/a look")).isEqualTo(Look.UNKNOWN);
        assertThat(files.isEmpty(ROOT, "/a true")).isFalse();
    }

    @Test
    void oneProgramAnswersAllQuestions() throws IOException {
        try (RootedFiles files = files(ECHO)) {
            assertThat(text(files.head(ROOT, "/a b", 256))).isEqualTo("1 256 /root /a b");
            assertThat(text(files.head(Path.of("/é"), "", 64))).isEqualTo("2 64 /é ");
            assertThat(files.look(ROOT, "/look")).isEqualTo(new Look(0120777, 7, 8, "3 4294967295 /root /look"));
            assertThat(files.look(ROOT, "/miss")).isEqualTo(Look.MISSING);
            assertThat(files.look(ROOT, "/none")).isEqualTo(Look.UNKNOWN);
            assertThat(files.isEmpty(ROOT, "/true")).isTrue();
            assertThat(files.isEmpty(ROOT, "/miss")).isFalse();
        }
    }

    @Test
    void aProgramBesideJavaIsAskedByItsPipes() throws IOException {
        Process program = echo();
        try (RootedFiles files = beside(program)) {
            assertThat(text(files.head(ROOT, "/a b", 256))).isEqualTo("1 256 /root /a b");
            assertThat(files.look(ROOT, "/look")).isEqualTo(new Look(0120777, 7, 8, "2 4294967295 /root /look"));
            assertThat(files.head(ROOT, "/none", 64)).isEmpty();
        }
        try (RootedFiles files = beside(program)) {
            assertThat(text(files.head(ROOT, "/next", 64))).startsWith("4 ");
        } finally {
            program.destroy();
        }
    }

    @Test
    @Timeout(60)
    void whoWaitsForAProgramThatHasEndedIsToldNothing() throws IOException, InterruptedException {
        Process program = echo();
        try (RootedFiles files = beside(program)) {
            assertThat(text(files.head(ROOT, "/last", 64))).startsWith("1 ");
            tellsNothing(files);
        }
        program.waitFor();
        try (RootedFiles files = beside(program)) {
            tellsNothing(files);
        }
        List<String> pipes = new ArrayList<>();
        for (String name : List.of("answers", "questions")) {
            String pipe = directory.resolve(name).toString();
            assertThat(new ProcessBuilder("mkfifo", pipe).start().waitFor()).isZero();
            pipes.add(pipe);
        }
        try (RootedFiles files = new RootedFiles("", pipes.getFirst(), pipes.getLast())) {
            tellsNothing(files);
        }
    }

    @Test
    void whatCanNotBeReadHasNoBytes() throws IOException {
        try (RootedFiles files = files(ECHO)) {
            assertThat(files.head(ROOT, "/none", 256)).isEmpty();
            assertThat(text(files.head(ROOT, "/next", 256))).startsWith("2 ");
            assertThat(files.head(ROOT, "/more", 256)).isEmpty();
            tellsNothing(files);
        }
        try (RootedFiles files = files("#!/bin/sh\nexit 1\n")) {
            tellsNothing(files);
        }
        try (RootedFiles files = new RootedFiles("/nowhere/dkvm-rooted")) {
            tellsNothing(files);
        }
    }

    @Test
    void whatIsNoPathIsNotAskedFor() throws IOException {
        try (RootedFiles files = files(ECHO)) {
            for (String path : List.of("/look\0", "/\ud800look", "/" + "x".repeat(5000) + "look")) {
                assertThat(files.look(ROOT, path)).isEqualTo(Look.UNKNOWN);
                assertThat(files.head(ROOT, path, 64)).isEmpty();
                assertThat(files.isEmpty(ROOT, path)).isFalse();
            }
            assertThat(text(files.head(ROOT, "/a", 256))).isEqualTo("1 256 /root /a");
        }
    }
}
