// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.dkvm.core.Architecture;
import org.dkvm.core.DkvmException;
import org.dkvm.linux.PlainReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ImageKernelTest {
    @TempDir
    Path root;

    private void write(String path, String text) throws IOException {
        Path file = root.resolve(path.substring(1));
        Files.createDirectories(file.resolveSibling("."));
        Files.writeString(file, text);
    }

    private void link(String path, String target) throws IOException {
        Path file = root.resolve(path.substring(1));
        Files.createDirectories(file.resolveSibling("."));
        Files.createSymbolicLink(file, Path.of(target));
    }

    private Path found(String... distributions) {
        return ImageKernel.find(ImageKernel.ImageRoot.of(root, new PlainReader()), List.of(distributions))
                .map(ImageKernel::file)
                .orElse(Path.of("none"));
    }

    @ParameterizedTest
    @CsvSource({
        "debian, /vmlinuz, /initrd.img",
        "ubuntu, /boot/vmlinuz, /boot/initrd.img",
        "alpine, /boot/vmlinuz-virt, /boot/initramfs-virt"
    })
    void eachDistributionHasItsPlace(String distribution, String kernel, String initrd) throws IOException {
        write(kernel, "k");
        assertThat(found(distribution)).isEqualTo(Path.of("none"));
        write(initrd, "i");
        assertThat(found(distribution)).isEqualTo(root.resolve(kernel.substring(1)));
        assertThat(found("fedora")).isEqualTo(Path.of("none"));
        assertThat(found("mint", distribution)).isEqualTo(root.resolve(kernel.substring(1)));
    }

    @Test
    void linksAreFollowedWithinTheImageOnly() throws IOException {
        link("/vmlinuz", "boot/vmlinuz-6.1");
        link("/initrd.img", "/boot/../boot/initrd-6.1");
        write("/boot/vmlinuz-6.1", "k");
        write("/boot/initrd-6.1", "i");
        assertThat(found("debian")).isEqualTo(root.resolve("boot/vmlinuz-6.1"));
        Files.delete(root.resolve("vmlinuz"));
        link("/vmlinuz", "../../../../etc/passwd");
        assertThat(found("debian")).isEqualTo(Path.of("none"));
        write("/etc/passwd", "the image's");
        assertThat(found("debian")).isEqualTo(root.resolve("etc/passwd"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "ID=debian|debian",
                "ID=\"ol\"\\nID_LIKE=\"fedora rhel\"|ol fedora rhel",
                "NAME=x\\nID_LIKE='a  b'\\nID=mint|mint a b",
                "ID=|",
                "nothing|"
            })
    void aDistributionIsNamedByOsRelease(String text, String names) {
        assertThat(String.join(
                        " ", Distribution.parse(text.replace("\\n", "\n")).names()))
                .isEqualTo(names == null ? "" : names);
    }

    @Test
    void osReleaseMayBeALink() throws IOException {
        link("/etc/os-release", "../usr/lib/os-release");
        write("/usr/lib/os-release", "ID=alpine\n");
        assertThat(ImageKernel.ImageRoot.of(root, new PlainReader())
                        .distribution()
                        .names())
                .containsExactly("alpine");
    }

    @Test
    void anOsReleaseWithoutEndIsReadInPart() throws IOException {
        write("/etc/os-release", "ID=debian\n");
        try (RandomAccessFile file =
                new RandomAccessFile(root.resolve("etc/os-release").toFile(), "rw")) {
            file.setLength(1L << 40);
        }
        assertThat(ImageKernel.ImageRoot.of(root, new PlainReader())
                        .distribution()
                        .names())
                .containsExactly("debian");
    }

    /** A kernel's first bytes: boot flag, magic, and where the version is. */
    static byte[] bzImage(String version) {
        ByteBuffer bytes = ByteBuffer.allocate(0x400).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putShort(0x1FE, (short) 0xAA55);
        bytes.put(0x202, "HdrS".getBytes(StandardCharsets.US_ASCII));
        bytes.putShort(0x20E, (short) 0x100);
        bytes.put(0x300, version.getBytes(StandardCharsets.US_ASCII));
        return bytes.array();
    }

    @Test
    void aKernelTellsItsRelease() throws IOException, DkvmException {
        Path file = root.resolve("vmlinuz");
        Files.write(file, bzImage("6.1.0-32-cloud-amd64 (debian@x) #1 SMP"));
        assertThat(KernelImage.release(file)).isEqualTo("6.1.0-32-cloud-amd64");
        for (String hostile : List.of("../../etc (x)", "", "x".repeat(0x100))) {
            Files.write(file, bzImage(hostile));
            assertThatThrownBy(() -> KernelImage.release(file)).hasMessageContaining("does not tell its version");
        }
        byte[] far = bzImage("6.1 ");
        far[0x20E] = (byte) 0xFF;
        far[0x20F] = (byte) 0xFF;
        Files.write(file, far);
        assertThatThrownBy(() -> KernelImage.release(file)).hasMessageContaining("does not tell its version");
        Files.writeString(file, "#!/bin/sh\n");
        assertThatThrownBy(() -> KernelImage.release(file)).hasMessageContaining("is no Linux kernel");
    }

    @Test
    void aKernelWithoutItsModulesIsRefusedWithAWayOut() throws IOException {
        write("/etc/os-release", "ID=debian\n");
        write("/initrd.img", "");
        Files.write(root.resolve("vmlinuz"), bzImage("6.1.0-1 x"));
        KernelChoice choice = new KernelChoice(
                new KernelStore(root.resolve("kernels")),
                new ImageKernelCache(root.resolve("cache"), root.resolve("home"), (image, kernel, modules, out) -> {
                    throw new AssertionError("it is made");
                }));
        assertThatThrownBy(() -> choice.choose(
                        "", "dkvm", ImageKernel.ImageRoot.of(root, new PlainReader()), Architecture.AMD64))
                .isInstanceOfSatisfying(
                        DkvmException.class,
                        e -> assertThat(e.text())
                                .isEqualTo("the image's kernel \"6.1.0-1\" has no modules in \"/lib/modules/6.1.0-1\";"
                                        + " DKVM_KERNEL=dkvm boots DKVM's own kernel instead"));
        assertThatThrownBy(() -> choice.choose(
                        "", "dkvm", ImageKernel.ImageRoot.of(root, new PlainReader()), Architecture.ARM64))
                .isInstanceOfSatisfying(
                        DkvmException.class,
                        e -> assertThat(e.text())
                                .isEqualTo("the image's kernel is for amd64, the image for arm64;"
                                        + " DKVM_KERNEL=debian boots Debian's for arm64 instead"));
    }

    @Test
    void aKernelForArm64IsNamedAfterItsRelease() throws Exception {
        Files.createDirectories(root.resolve("boot"));
        Path file = Files.write(root.resolve("boot/vmlinuz-6.12-arm64"), SampleKernel.arm64Image("plain"));
        ImageKernel kernel = new ImageKernel(ImageKernel.ImageRoot.of(root, new PlainReader()), file);
        KernelImage format = KernelImage.of(file);
        assertThatThrownBy(() -> kernel.release(format)).hasMessageContaining("\"/lib/modules\" has none");
        Files.createDirectories(root.resolve("lib/modules/6.12-rt-arm64"));
        assertThat(kernel.release(format)).isEqualTo("6.12-rt-arm64");
        Files.createDirectories(root.resolve("lib/modules/6.12-arm64"));
        assertThat(kernel.release(format)).isEqualTo("6.12-arm64");
        Path other = Files.write(root.resolve("boot/vmlinuz-virt"), SampleKernel.arm64Image("gzip"));
        assertThatThrownBy(() -> new ImageKernel(ImageKernel.ImageRoot.of(root, new PlainReader()), other)
                        .release(KernelImage.of(other)))
                .hasMessage(
                        "the image's kernel \"vmlinuz-virt\" does not tell its release, and \"/lib/modules\" has several");
    }
}
