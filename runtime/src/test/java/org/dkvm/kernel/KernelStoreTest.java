// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.dkvm.core.DkvmException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KernelStoreTest {
    @TempDir
    Path directory;

    private Path kernels;
    private KernelChoice choice;

    @BeforeEach
    void installKernels() throws IOException {
        kernels = directory.resolve("kernels");
        install("dkvm/6.12", "vmlinux");
        install("debian/6.1.0-1-amd64", "vmlinuz");
        Files.createSymbolicLink(kernels.resolve("dkvm/latest"), Path.of("6.12"));
        choice = new KernelChoice(
                new KernelStore(kernels), new ImageKernelCache(directory.resolve("cache"), directory.resolve("home")));
    }

    private void install(String name, String image) throws IOException {
        Files.createDirectories(kernels.resolve(name));
        Files.writeString(kernels.resolve(name).resolve(image), "");
    }

    @Test
    void theDefaultIsTheLatestOfItsDistribution() throws DkvmException {
        assertThat(choice.choose("", "dkvm", directory.resolve("rootfs")))
                .isEqualTo(new KernelStore.Found("dkvm/6.12", kernels.resolve("dkvm/6.12"), "vmlinux", "6.12"));
    }

    @Test
    void whatIsAskedForWins() throws DkvmException {
        assertThat(choice.choose("debian/6.1.0-1-amd64", "dkvm", directory.resolve("rootfs"))
                        .image())
                .isEqualTo("vmlinuz");
    }

    @Test
    void theDefaultMayGoByTheImagesDistribution() throws DkvmException, IOException {
        install("ol/5.14", "vmlinuz");
        Files.createSymbolicLink(kernels.resolve("ol/latest"), Path.of("5.14"));
        Files.createSymbolicLink(kernels.resolve("debian/latest"), Path.of("6.1.0-1-amd64"));
        assertThat(osRelease("ID=\"ol\"\nID_LIKE=\"fedora\"\n")).isEqualTo("ol/5.14");
        assertThat(osRelease("ID=rocky\nID_LIKE='rhel ol centos'\n")).isEqualTo("ol/5.14");
        assertThat(osRelease("ID=../dkvm\n")).isEqualTo("debian/6.1.0-1-amd64");
        assertThat(osRelease("")).isEqualTo("debian/6.1.0-1-amd64");
    }

    private String osRelease(String text) throws IOException, DkvmException {
        Path etc = Files.createDirectories(directory.resolve("rootfs/etc"));
        Files.writeString(etc.resolve("os-release"), text);
        return choice.choose("", "match", directory.resolve("rootfs")).name();
    }

    @Test
    void aKernelMayHaveAnotherNameThanItsRelease() throws IOException, DkvmException {
        Files.writeString(kernels.resolve("debian/6.1.0-1-amd64/release"), "6.1.0-1-rt\n");
        assertThat(choice.choose("debian/6.1.0-1-amd64", "dkvm", directory.resolve("rootfs"))
                        .release())
                .isEqualTo("6.1.0-1-rt");
        Files.writeString(kernels.resolve("debian/6.1.0-1-amd64/release"), "../x\n");
        assertThatThrownBy(() -> choice.choose("debian/6.1.0-1-amd64", "dkvm", directory.resolve("rootfs")))
                .hasMessageContaining("has no kernel release");
    }

    @Test
    void aMissingKernelIsNamedWithWhereToLook() {
        assertThatThrownBy(() -> choice.choose("ubuntu/5.4", "dkvm", directory.resolve("rootfs")))
                .isInstanceOfSatisfying(
                        DkvmException.class,
                        e -> assertThat(e.text())
                                .isEqualTo("kernel \"ubuntu/5.4\" not found in " + kernels
                                        + "; \"dkvm kernel ls\" lists them"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"..", "../..", "dkvm/..", "dkvm/6.12/x", "/etc", "dkvm/", "a b", "dkvm/$(id)", "d,v"})
    void aNameIsNoPath(String name) {
        assertThatThrownBy(() -> choice.choose(name, "dkvm", directory.resolve("rootfs")))
                .isInstanceOf(DkvmException.class);
    }

    @Test
    void aLinkOutOfTheKernelsIsRefused() throws IOException {
        Files.createDirectories(directory.resolve("evil"));
        Files.writeString(directory.resolve("evil/vmlinux"), "");
        Files.createSymbolicLink(kernels.resolve("dkvm/evil"), directory.resolve("evil"));
        assertThatThrownBy(() -> choice.choose("dkvm/evil", "dkvm", directory.resolve("rootfs")))
                .hasMessageContaining("leads out of");
    }

    @Test
    void aDirectoryWithoutAnImageIsNoKernel() throws IOException {
        Files.createDirectories(kernels.resolve("dkvm/empty"));
        assertThatThrownBy(() -> choice.choose("dkvm/empty", "dkvm", directory.resolve("rootfs")))
                .hasMessageContaining("neither vmlinux nor");
    }
}
