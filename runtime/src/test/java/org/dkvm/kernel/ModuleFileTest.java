// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class ModuleFileTest {
    @TempDir
    Path directory;

    private Path file(byte[] bytes) throws IOException {
        return Files.write(directory.resolve("a.ko"), bytes);
    }

    @Test
    void whatAModuleSaysIsReadInOrder() throws IOException {
        Path module = file(SampleKernel.module("virtio-ring,virtio", "one", "two"));
        assertThat(ModuleFile.dependencies(module)).containsExactly("virtio_ring", "virtio");
        assertThat(ModuleFile.values(module, "alias")).containsExactly("one", "two");
        assertThat(ModuleFile.values(module, "author")).isEmpty();
    }

    /** Copied for each of its sections, the names of this one would be 250 GB. */
    @Test
    @Timeout(60)
    void namesWithoutEndInManySectionsAreNoWork() throws IOException {
        int sections = 65_000;
        int names = 4 * 1024 * 1024;
        ByteBuffer elf = ByteBuffer.allocate(64 + sections * 64 + names).order(ByteOrder.LITTLE_ENDIAN);
        Arrays.fill(elf.array(), 64 + sections * 64, elf.capacity(), (byte) 'x');
        elf.put(SampleKernel.bytes("\177ELF\2\1\1"));
        elf.putLong(40, 64).putShort(58, (short) 64).putShort(60, (short) sections);
        elf.putLong(64 + 24, 64 + sections * 64L).putLong(64 + 32, names);
        assertThatThrownBy(() -> ModuleFile.values(file(elf.array()), "depends"))
                .hasMessageContaining("no section .modinfo");
    }
}
