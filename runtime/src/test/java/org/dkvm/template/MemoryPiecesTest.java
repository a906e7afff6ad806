// SPDX-License-Identifier: Apache-2.0
package org.dkvm.template;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemoryPiecesTest {
    private static final int BLOCK = 16 * 1024;

    @Test
    void whatIsZeroIsLeftOut(@TempDir Path directory) throws IOException {
        byte[] memory = new byte[5 * BLOCK];
        memory[BLOCK + 7] = 1;
        memory[2 * BLOCK] = 2;
        memory[5 * BLOCK - 1] = 3;
        Path from = Files.write(directory.resolve("from"), memory);
        Path to = directory.resolve("to");
        MemoryPieces.write(from, to);
        ByteBuffer pieces = ByteBuffer.wrap(Files.readAllBytes(to)).order(ByteOrder.LITTLE_ENDIAN);
        byte[] again = new byte[memory.length];
        while (pieces.hasRemaining()) {
            long offset = pieces.getLong();
            long length = pieces.getLong();
            pieces.get(again, (int) offset, (int) length);
        }
        assertThat(again).isEqualTo(memory);
        assertThat(Files.size(to)).isEqualTo(3 * BLOCK + 2 * 16);
    }

    @Test
    void zerosAreNoPieces(@TempDir Path directory) throws IOException {
        Path from = Files.write(directory.resolve("from"), new byte[3 * BLOCK]);
        MemoryPieces.write(from, directory.resolve("to"));
        assertThat(directory.resolve("to")).isEmptyFile();
    }
}
