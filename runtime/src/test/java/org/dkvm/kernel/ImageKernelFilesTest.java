// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.dkvm.core.Architecture;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a hostile image may make of its kernel's files. */
class ImageKernelFilesTest {
    private static final Bounds SMALL = new Bounds(100, 100_000, 300_000, Duration.ofMinutes(1));

    @TempDir
    Path directory;

    private Path kernel;
    private Path modules;
    private Path out;
    private PackageLayout layout;

    @BeforeEach
    void makeAnImage() throws IOException {
        SampleKernel.directory(directory, SampleKernel.files());
        kernel = directory.resolve("boot/vmlinuz-" + SampleKernel.RELEASE);
        modules = directory.resolve("lib/modules/" + SampleKernel.RELEASE);
        out = Files.createDirectory(directory.resolve("out"));
        for (String name : ImageKernelFiles.NAMES) {
            Files.createFile(out.resolve(name));
        }
        layout = new PackageLayout(directory.resolve("home"));
        Files.createDirectories(layout.home().resolve("guest"));
        Files.writeString(layout.agent(Architecture.AMD64), "the agent's archive.");
    }

    private void make(Bounds bounds) throws IOException, DkvmException {
        Path work = Files.createDirectories(directory.resolve("work"));
        ImageKernelFiles.make(kernel, modules, layout, work, out, bounds);
        try (var left = Files.list(work)) {
            assertThat(left).isEmpty();
        }
    }

    private void xz(String module, byte[] plain) throws IOException {
        Files.delete(modules.resolve(module));
        Files.write(modules.resolve(module + ".xz"), SampleKernel.compress(Compression.XZ, plain));
    }

    @Test
    void filesThatAreThereAreWritten() throws Exception {
        make(SMALL);
        assertThat(out.resolve("vmlinuz")).hasBinaryContent(SampleKernel.image());
        assertThat(out.resolve("initramfs"))
                .content(java.nio.charset.StandardCharsets.ISO_8859_1)
                .contains("virtiofs");
        assertThat(out.resolve("initramfs-more")).isNotEmptyFile();
    }

    @Test
    void aModuleThatGrowsWithoutEndIsRefused() throws Exception {
        xz("kernel/fs/fuse/virtiofs.ko", new byte[100_001]);
        assertThatThrownBy(() -> make(SMALL)).hasMessageContaining("it has more than 100000 bytes");
    }

    @Test
    void modulesThatAreTooLargeTogetherAreRefused() throws Exception {
        for (String module : new String[] {"virtio_blk", "virtio_rng", "overlay", "ext4"}) {
            byte[] plain = new byte[90_000];
            byte[] head = SampleKernel.module("");
            System.arraycopy(head, 0, plain, 0, head.length);
            Files.write(modules.resolve(module + ".ko.xz"), SampleKernel.compress(Compression.XZ, plain));
        }
        assertThatThrownBy(() -> make(SMALL)).hasMessageContaining("it has more than 300000 bytes");
    }

    @Test
    void manySmallModulesAreRefused() throws Exception {
        for (int i = 0; i < 100; i++) {
            Files.write(modules.resolve("m" + i + ".ko"), new byte[0]);
        }
        assertThatThrownBy(() -> make(SMALL)).hasMessage("it has more than 100 entries");
    }

    @Test
    void aHugeKernelIsRefusedBeforeItIsRead() throws Exception {
        try (RandomAccessFile file = new RandomAccessFile(kernel.toFile(), "rw")) {
            file.setLength(1L << 40);
        }
        assertThatThrownBy(() -> make(Bounds.IMAGE))
                .hasMessageContaining("is no file of at most " + Bounds.IMAGE.fileBytes() + " bytes");
    }

    @Test
    void whatTakesTooLongIsGivenUp() {
        assertThatThrownBy(() -> make(new Bounds(100, 100_000, 300_000, Duration.ofNanos(1))))
                .hasMessageContaining("it takes longer than 0 s");
    }

    @Test
    void whatIsNoFileIsNotOpened() throws Exception {
        Path pipe = modules.resolve("kernel/fs/fuse/virtiofs.ko");
        Files.delete(pipe);
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .isZero();
        assertThatThrownBy(() -> make(SMALL)).hasMessageContaining("has no \"virtiofs\"");
        Files.delete(kernel);
        Files.createSymbolicLink(kernel, Path.of("/dev/zero"));
        assertThatThrownBy(() -> make(SMALL)).hasMessageContaining("is no file of at most");
    }

    @Test
    void aListOfBuiltInModulesWithoutEndIsReadInPart() throws Exception {
        try (RandomAccessFile file =
                new RandomAccessFile(modules.resolve("modules.builtin").toFile(), "rw")) {
            file.seek(file.length());
            file.setLength(1L << 40);
        }
        make(Bounds.IMAGE);
        assertThat(out.resolve("initramfs")).isNotEmptyFile();
    }
}
