// SPDX-License-Identifier: Apache-2.0
package org.dkvm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** package/check-c-rooms.sh: what it lets pass, and what it names. */
class NativeRoomsTest {
    @TempDir
    private Path tree;

    @BeforeEach
    void twoProgramsOfThreeRooms() throws IOException {
        write("Makefile", "first_FOLDERS = shared low high\nsecond_FOLDERS = shared other\n");
        write("common/frame.h", "");
        write("common/frame.c", "#include \"common/frame.h\"\n");
        write("shared/say.c", "#include \"common/frame.h\"\n");
        write("low/low.c", "#include \"shared/say.h\"\n#include <high/system.h>\n");
        write("low/first.c", "#include \"high/high.h\"\n");
        write("high/high.c", "#include \"low/low.h\"\n");
        write("other/second.c", "#include \"shared/say.h\"\n");
        write("tests/test_all.c", "#include \"low/low.h\"\n#include \"other/other.h\"\n");
    }

    @Test
    void theProjectsOwnFilesKeepToTheirRooms() throws Exception {
        assertThat(said(Path.of("native"))).isEmpty();
    }

    @Test
    void lowerRoomsTheFileOfTheMainAndTestsAreFree() throws Exception {
        assertThat(said(tree)).isEmpty();
    }

    @Test
    void anArrowUpIsNamed() throws Exception {
        write("low/up.c", "#include \"common/frame.h\"\n#include \"high/high.h\"\n");
        assertThat(said(tree)).isEqualTo("error: low/up.c:2 may not include \"high/high.h\"\n");
    }

    @Test
    void anotherProgramsRoomIsNamed() throws Exception {
        write("other/other.c", "#include \"low/low.h\"\n");
        write("common/files.c", "#include \"shared/say.h\"\n");
        write("shared/more.c", "#include \"low/low.h\"\n");
        assertThat(said(tree)).isEqualTo("""
                        error: common/files.c:1 may not include "shared/say.h"
                        other/other.c:1 may not include "low/low.h"
                        shared/more.c:1 may not include "low/low.h"
                        """);
    }

    @Test
    void aFileWithoutAProgramAndAnIncludeWithoutARoomAreNamed() throws Exception {
        write("attic/old.c", "int x;\n");
        write("low/bare.c", "#include \"low.h\"\n");
        assertThat(said(tree)).isEqualTo("""
                        error: attic/old.c is in a room that no program has
                        low/bare.c:1 may not include "low.h"
                        """);
    }

    @Test
    void aFileThatIsTooLongIsNamed() throws Exception {
        write("low/long.c", "\n".repeat(450));
        assertThat(said(tree)).isEmpty();
        write("low/long.c", "\n".repeat(451));
        assertThat(said(tree)).isEqualTo("error: low/long.c has 451 lines, more than 450: it is two files\n");
    }

    private void write(String name, String text) throws IOException {
        Path file = tree.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    /** What the check says of a tree; nothing where all is well. */
    private static String said(Path directory) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("package/check-c-rooms.sh", directory.toString())
                .redirectErrorStream(true)
                .start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).isEqualTo(text.isEmpty() ? 0 : 1);
        return text;
    }
}
