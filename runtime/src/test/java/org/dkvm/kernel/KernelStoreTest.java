// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.dkvm.core.Architecture;
import org.dkvm.core.DkvmException;
import org.dkvm.linux.PlainReader;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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
                new KernelStore(kernels),
                new ImageKernelCache(
                        directory.resolve("cache"), directory.resolve("home"), (image, kernel, modules, out) -> {
                            throw new AssertionError("it is made");
                        }));
    }

    private KernelStore.Found choose(String asked, String byDefault) throws DkvmException {
        return choose(asked, byDefault, Architecture.AMD64);
    }

    private KernelStore.Found choose(String asked, String byDefault, Architecture architecture) throws DkvmException {
        return choice.choose(
                asked,
                byDefault,
                ImageKernel.ImageRoot.of(directory.resolve("rootfs"), new PlainReader()),
                architecture);
    }

    private void install(String name, String image) throws IOException {
        Files.createDirectories(kernels.resolve(name));
        Files.writeString(kernels.resolve(name).resolve(image), "");
    }

    @Test
    void theDefaultIsTheLatestOfItsDistribution() throws DkvmException {
        assertThat(choose("", "dkvm"))
                .isEqualTo(new KernelStore.Found(
                        "dkvm/6.12", Architecture.AMD64, kernels.resolve("dkvm/6.12"), "vmlinux", "6.12"));
    }

    @Test
    void whatIsAskedForWins() throws DkvmException {
        assertThat(choose("debian/6.1.0-1-amd64", "dkvm").image()).isEqualTo("vmlinuz");
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
        return choose("", "match").name();
    }

    private void shipForArm64(String... names) throws IOException {
        for (String name : names) {
            install(name, "vmlinuz");
            Files.createSymbolicLink(
                    kernels.resolve(name).resolveSibling("latest"), Path.of(name.substring(name.indexOf('/') + 1)));
        }
    }

    @ParameterizedTest
    @CsvSource({
        // what is asked for, the default, what an image for arm64 gets
        "'', dkvm, debian-arm64/6.12",
        "'', dkvm/6.12, debian-arm64/6.12",
        "'', match, debian-arm64/6.12",
        "'', alpine, alpine-arm64/6.6",
        "'', alpine/6.1, alpine-arm64/6.6",
        "debian, dkvm, debian-arm64/6.12",
        "debian/6.12, dkvm, debian-arm64/6.12",
        "debian-arm64, dkvm, debian-arm64/6.12",
        "debian-arm64/6.12, alpine, debian-arm64/6.12"
    })
    void anImageOfAnotherArchitectureGetsAKernelOfIts(String asked, String byDefault, String expected)
            throws IOException, DkvmException {
        shipForArm64("debian-arm64/6.12", "alpine-arm64/6.6");
        KernelStore.Found found = choose(asked, byDefault, Architecture.ARM64);
        assertThat(found.name()).isEqualTo(expected);
        assertThat(found.architecture()).isEqualTo(Architecture.ARM64);
        assertThat(found.release()).isEqualTo(expected.substring(expected.indexOf('/') + 1));
    }

    @Test
    void theImagesDistributionIsMatchedByArchitectureToo() throws IOException, DkvmException {
        shipForArm64("debian-arm64/6.12", "ol-arm64/5.15");
        Files.createDirectories(directory.resolve("rootfs/etc"));
        Files.writeString(directory.resolve("rootfs/etc/os-release"), "ID=ol\n");
        assertThat(choose("", "match", Architecture.ARM64).name()).isEqualTo("ol-arm64/5.15");
        assertThatThrownBy(() -> choose("", "match")).hasMessageContaining("\"debian\" not found");
        Files.writeString(directory.resolve("rootfs/etc/os-release"), "ID=ol-arm64\n");
        assertThatThrownBy(() -> choose("", "match")).hasMessageContaining("is for arm64, the image for amd64");
    }

    @ParameterizedTest
    @CsvSource({"dkvm, ARM64, dkvm/6.12, amd64, arm64", "debian-arm64, AMD64, debian-arm64/6.12, arm64, amd64"})
    void aKernelOfAnotherArchitectureIsRefused(
            String asked, Architecture image, String kernel, String its, String theImages) throws IOException {
        shipForArm64("debian-arm64/6.12");
        assertThatThrownBy(() -> choose(asked, "dkvm", image))
                .isInstanceOfSatisfying(
                        DkvmException.class,
                        e -> assertThat(e.text())
                                .isEqualTo("kernel \"" + kernel + "\" is for " + its + ", the image for " + theImages
                                        + "; DKVM_KERNEL=debian boots Debian's for " + theImages
                                        + "; \"dkvm kernel ls\" lists all"));
    }

    @Test
    void aKernelMayHaveAnotherNameThanItsRelease() throws IOException, DkvmException {
        Files.writeString(kernels.resolve("debian/6.1.0-1-amd64/release"), "6.1.0-1-rt\n");
        assertThat(choose("debian/6.1.0-1-amd64", "dkvm").release()).isEqualTo("6.1.0-1-rt");
        Files.writeString(kernels.resolve("debian/6.1.0-1-amd64/release"), "../x\n");
        assertThatThrownBy(() -> choose("debian/6.1.0-1-amd64", "dkvm")).hasMessageContaining("has no kernel release");
    }

    @Test
    void aMissingKernelIsNamedWithWhereToLook() {
        assertThatThrownBy(() -> choose("ubuntu/5.4", "dkvm"))
                .isInstanceOfSatisfying(
                        DkvmException.class,
                        e -> assertThat(e.text())
                                .isEqualTo("kernel \"ubuntu/5.4\" not found in " + kernels
                                        + "; \"dkvm kernel ls\" lists them"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"..", "../..", "dkvm/..", "dkvm/6.12/x", "/etc", "dkvm/", "a b", "dkvm/$(id)", "d,v"})
    void aNameIsNoPath(String name) {
        assertThatThrownBy(() -> choose(name, "dkvm")).isInstanceOf(DkvmException.class);
    }

    @Test
    void aLinkOutOfTheKernelsIsRefused() throws IOException {
        Files.createDirectories(directory.resolve("evil"));
        Files.writeString(directory.resolve("evil/vmlinux"), "");
        Files.createSymbolicLink(kernels.resolve("dkvm/evil"), directory.resolve("evil"));
        assertThatThrownBy(() -> choose("dkvm/evil", "dkvm")).hasMessageContaining("leads out of");
    }

    @Test
    void aDirectoryWithoutAnImageIsNoKernel() throws IOException {
        Files.createDirectories(kernels.resolve("dkvm/empty"));
        assertThatThrownBy(() -> choose("dkvm/empty", "dkvm")).hasMessageContaining("neither vmlinux nor");
    }
}
