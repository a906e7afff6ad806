// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConsoleFileTest {
    @TempDir
    Path directory;

    @Test
    void theLastPartsAreKept() throws IOException {
        ConsoleFile file = new ConsoleFile(directory.resolve("console.log"));
        byte[] piece = new byte[1000];
        for (int i = 0; i < 1000; i++) {
            piece[0] = (byte) i;
            file.add(piece);
        }
        assertThat(Files.size(directory.resolve("console.old"))).isBetween(60_000L, (long) ConsoleFile.PART_BYTES);
        byte[] last = Files.readAllBytes(directory.resolve("console.log"));
        assertThat(last.length).isLessThanOrEqualTo(ConsoleFile.PART_BYTES);
        assertThat(last[last.length - 1000]).isEqualTo((byte) 999);
    }

    @Test
    void aConsoleThatIsQuietMakesNoFileAndOneThatCanNotBeWrittenGoesOn() {
        ConsoleFile file = new ConsoleFile(directory.resolve("none/console.log"));
        assertThat(directory.resolve("none")).doesNotExist();
        file.add(new byte[] {1});
        file.add(new byte[] {2});
        assertThat(directory).isEmptyDirectory();
    }
}
