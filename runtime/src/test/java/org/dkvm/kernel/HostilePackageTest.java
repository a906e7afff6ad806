// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.dkvm.core.DkvmException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostilePackageTest {
    private static final String MODULES = "./lib/modules/6.1/";
    private static final Bounds SMALL = new Bounds(10, 1000, 3000, Duration.ofMinutes(1));

    @TempDir
    Path directory;

    private Path target;

    @BeforeEach
    void chooseTarget() {
        target = directory.resolve("deep/target");
    }

    private void unpack(byte[] tar) throws IOException, DkvmException {
        unpack(tar, SMALL);
    }

    private void unpack(byte[] tar, Bounds bounds) throws IOException, DkvmException {
        KernelPackage.unpack(
                SampleKernel.deb(directory, Compression.XZ, tar), new Unpacker(target, new Budget(bounds)));
    }

    private static byte[] one(String name, byte[] content) throws IOException {
        return SampleKernel.tar(Map.of(name, content));
    }

    private static byte[] link(String name, byte type, String to) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (TarArchiveOutputStream tar = new TarArchiveOutputStream(out)) {
            TarArchiveEntry entry = new TarArchiveEntry(name, type);
            entry.setLinkName(to);
            tar.putArchiveEntry(entry);
            tar.closeArchiveEntry();
            byte[] content = SampleKernel.bytes("written through the link");
            TarArchiveEntry file = new TarArchiveEntry(name + "/modules.alias");
            file.setSize(content.length);
            tar.putArchiveEntry(file);
            tar.write(content);
            tar.closeArchiveEntry();
        }
        return out.toByteArray();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../evil",
                "./boot/../../evil",
                "./lib/modules/6.1/../../../../../evil.ko",
                "/etc/evil",
                "/boot/vmlinuz-6.1",
                "./boot/vmlinuz-\n6.1"
            })
    void aNameThatLeadsElsewhereIsRefused(String name) throws IOException {
        byte[] tar = one(name, SampleKernel.bytes("evil"));
        assertThatThrownBy(() -> unpack(tar)).hasMessageContaining("has no path of a package");
        assertThat(target).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(bytes = {TarConstants.LF_SYMLINK, TarConstants.LF_LINK, TarConstants.LF_CHR, TarConstants.LF_FIFO})
    void linksAndDevicesAreNeverMade(byte type) throws Exception {
        Path outside = Files.createDirectory(directory.resolve("outside"));
        unpack(link("./lib/modules/6.1", type, outside.toString()));
        assertThat(outside).isEmptyDirectory();
        assertThat(Files.isSymbolicLink(target.resolve("lib/modules/6.1"))).isFalse();
        assertThat(target.resolve("lib/modules/6.1/modules.alias")).isRegularFile();
    }

    @Test
    void aFileThatIsTooLargeIsRefused() throws IOException {
        byte[] tar = one(MODULES + "a.ko", new byte[1001]);
        assertThatThrownBy(() -> unpack(tar)).hasMessageContaining("has 1001 bytes, more than 1000");
    }

    @Test
    void muchThatIsNotWantedIsTooMuchAsWell() throws IOException {
        byte[] tar = one("./usr/share/doc/zeros", new byte[1_000_000]);
        assertThatThrownBy(() -> unpack(tar)).hasMessageContaining("it has more than 3000 bytes");
    }

    @Test
    void tooManyEntriesAreRefused() throws IOException {
        Map<String, byte[]> files = new java.util.LinkedHashMap<>();
        for (int i = 0; i < 11; i++) {
            files.put("./doc/" + i, new byte[0]);
        }
        byte[] tar = SampleKernel.tar(files);
        assertThatThrownBy(() -> unpack(tar, new Bounds(10, 1000, 1_000_000, Duration.ofMinutes(1))))
                .hasMessageContaining("it has more than 10 entries");
    }

    @Test
    void aFileThatComesTwiceIsRefused() throws IOException {
        Map<String, byte[]> files = new java.util.LinkedHashMap<>();
        files.put("./lib/modules/6.1/a.ko", new byte[1]);
        files.put("./usr/lib/modules/6.1/a.ko", new byte[2]);
        byte[] tar = SampleKernel.tar(files);
        assertThatThrownBy(() -> unpack(tar, Bounds.USUAL)).hasMessageContaining("comes twice");
    }

    @Test
    void whatAKernelDoesNotNeedIsLeftOut() throws Exception {
        unpack(
                SampleKernel.tar(Map.of(
                        MODULES + "build/Makefile",
                        new byte[1],
                        MODULES + "kernel/a.ko.xz",
                        new byte[1],
                        MODULES + "kernel/notes.txt",
                        new byte[1],
                        "./etc/cron.d/job",
                        new byte[1])),
                Bounds.USUAL);
        try (var files = Files.walk(target)) {
            assertThat(files.filter(Files::isRegularFile))
                    .containsExactly(target.resolve("lib/modules/6.1/kernel/a.ko.xz"));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {Integer.MAX_VALUE, -1})
    void anRpmWithAnAbsurdHeaderIsRefused(int length) throws Exception {
        Path rpm = SampleKernel.rpm(directory, "gzip", new byte[0]);
        byte[] bytes = Files.readAllBytes(rpm);
        java.nio.ByteBuffer.wrap(bytes).putInt(96 + 12, length);
        Files.write(rpm, bytes);
        assertThatThrownBy(() -> KernelPackage.unpack(rpm, new Unpacker(target, new Budget(SMALL))))
                .hasMessageContaining("its header has 1 entries and " + length + " bytes");
    }

    @Test
    void anRpmWithAnUnknownCompressorIsRefused() throws Exception {
        Path rpm = SampleKernel.rpm(directory, "rar", new byte[0]);
        assertThatThrownBy(() -> KernelPackage.unpack(rpm, new Unpacker(target, new Budget(SMALL))))
                .hasMessageContaining("compressed by \"rar\", which is not known");
    }

    /** The library reads each of them by calling itself. */
    @Test
    void headersAboutHeadersEnd() throws IOException {
        byte[] tar = one(MODULES + "d".repeat(150) + ".ko", new byte[1]);
        int twoBlocks = 1024;
        byte[] many = new byte[20_000 * twoBlocks + tar.length];
        for (int i = 0; i < 20_000; i++) {
            System.arraycopy(tar, 0, many, i * twoBlocks, twoBlocks);
        }
        System.arraycopy(tar, 0, many, 20_000 * twoBlocks, tar.length);
        assertThatThrownBy(() -> unpack(many, Bounds.USUAL)).hasMessageContaining("an entry's header has more than");
    }
}
