// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
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
                size = {b'none': 0xffffffff, b'more': 5000}.get(text[-4:], len(text))
                sys.stdout.buffer.write(struct.pack('<I', size) + (text if size == len(text) else b''))
                sys.stdout.buffer.flush()
            """;

    @TempDir
    Path directory;

    private RootedFiles files(String program) throws IOException {
        Path file = Files.writeString(directory.resolve("program"), program);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
        return new RootedFiles(file.toString());
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    @Test
    void oneProgramAnswersAllQuestions() throws IOException {
        try (RootedFiles files = files(ECHO)) {
            assertThat(text(files.head(Path.of("/root"), "/a b", 256))).isEqualTo("1 256 /root /a b");
            assertThat(text(files.head(Path.of("/é"), "", 64))).isEqualTo("2 64 /é ");
        }
    }

    @Test
    void whatCanNotBeReadHasNoBytes() throws IOException {
        try (RootedFiles files = files(ECHO)) {
            assertThat(files.head(Path.of("/root"), "/none", 256)).isEmpty();
            assertThat(text(files.head(Path.of("/root"), "/next", 256))).startsWith("2 ");
            assertThat(files.head(Path.of("/root"), "/more", 256)).isEmpty();
        }
        try (RootedFiles files = files("#!/bin/sh\nexit 1\n")) {
            assertThat(files.head(Path.of("/root"), "/a", 256)).isEmpty();
        }
        try (RootedFiles files = new RootedFiles("/nowhere/dkvm-rooted")) {
            assertThat(files.head(Path.of("/root"), "/a", 256)).isEmpty();
        }
    }
}
