// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.dkvm.core.DkvmException;
import org.dkvm.core.machine.Board;
import org.dkvm.core.machine.Firmware;
import org.dkvm.core.machine.Hardware;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelFitTest {
    private static final Hardware EFI = new Hardware(Board.Q35, Firmware.EFI);
    private static final Hardware MICROVM = new Hardware(Board.MICROVM, Firmware.SEABIOS);
    private static final String FOR_MICROVM = """
            CONFIG_VIRTIO_MMIO=y
            CONFIG_VIRTIO_MMIO_CMDLINE_DEVICES=y
            CONFIG_X86_MPPARSE=y
            """;

    @TempDir
    Path kernels;

    private KernelStore store;

    @BeforeEach
    void aStore() {
        store = new KernelStore(kernels);
    }

    private KernelStore.Found kernel(String name, String image, byte[] bytes, String config) throws Exception {
        Path directory = Files.createDirectories(kernels.resolve(name));
        Files.write(directory.resolve(image), bytes);
        if (!config.isEmpty()) {
            Files.writeString(directory.resolve("config"), config);
        }
        Path latest = directory.resolveSibling("latest");
        if (!Files.exists(latest)) {
            Files.createSymbolicLink(latest, directory.getFileName());
        }
        return store.find(name);
    }

    private KernelStore.Found own() throws Exception {
        return kernel("dkvm/1", "vmlinux", new byte[1024], FOR_MICROVM);
    }

    private KernelStore.Found debians() throws Exception {
        return kernel(
                "debian/2",
                "vmlinuz",
                efiProgram(),
                "CONFIG_VIRTIO_MMIO=m\nCONFIG_X86_MPPARSE=y\nCONFIG_VGA_CONSOLE=y\n");
    }

    private static byte[] efiProgram() {
        byte[] image = SampleKernel.image();
        image[0] = 'M';
        image[1] = 'Z';
        return image;
    }

    @Test
    void ofTheDefaultsOneThatFitsIsTaken() throws Exception {
        KernelStore.Found own = own();
        KernelStore.Found debians = debians();
        KernelFit fit = new KernelFit(store);
        assertThat(fit.fit(own, true, EFI, false)).isEqualTo(debians);
        assertThat(fit.fit(debians, true, EFI, false)).isEqualTo(debians);
        assertThat(fit.fit(debians, true, MICROVM, false)).isEqualTo(own);
        assertThat(fit.fit(own, true, MICROVM, false)).isEqualTo(own);
    }

    @Test
    void oneThatWasAskedForIsRefusedWithAWordOnAnother() throws Exception {
        KernelStore.Found own = own();
        KernelStore.Found debians = debians();
        refuses(own, EFI, "kernel \"dkvm/1\" can not boot by EFI: it is no EFI program; DKVM_KERNEL=debian can");
        refuses(
                debians,
                MICROVM,
                "kernel \"debian/2\" can not boot on the board \"microvm\": it has no CONFIG_VIRTIO_MMIO built in;"
                        + " DKVM_KERNEL=dkvm can");
    }

    @Test
    void aKernelWithoutItsConfigurationIsNotTried() throws Exception {
        KernelStore.Found bare = kernel("own/3", "vmlinuz", SampleKernel.image(), "");
        refuses(
                bare,
                MICROVM,
                "kernel \"own/3\" can not boot on the board \"microvm\", as far as is known: it came without its"
                        + " configuration; \"dkvm kernel add\" adds one that can");
        refuses(
                bare,
                EFI,
                "kernel \"own/3\" can not boot by EFI: it is no EFI program; \"dkvm kernel add\" adds one that can");
    }

    @Test
    void aTextScreenIsWhatDebiansHas() throws Exception {
        KernelStore.Found own = own();
        KernelStore.Found debians = debians();
        KernelFit fit = new KernelFit(store);
        assertThat(fit.fit(own, true, Hardware.ORDINARY, true)).isEqualTo(debians);
        assertThat(fit.fit(debians, false, Hardware.ORDINARY, true)).isEqualTo(debians);
        assertThatThrownBy(() -> fit.fit(own, false, Hardware.ORDINARY, true))
                .isInstanceOfSatisfying(
                        DkvmException.class,
                        e -> assertThat(e.text())
                                .isEqualTo(
                                        "kernel \"dkvm/1\" can not boot with a text screen for DKVM_QEMU_DISPLAY: it has no"
                                                + " CONFIG_VGA_CONSOLE built in; DKVM_KERNEL=debian can"));
        KernelStore.Found bare = kernel("own/3", "vmlinuz", SampleKernel.image(), "");
        assertThat(fit.fit(bare, false, Hardware.ORDINARY, true)).isEqualTo(bare);
    }

    private void refuses(KernelStore.Found kernel, Hardware hardware, String text) {
        assertThatThrownBy(() -> new KernelFit(store).fit(kernel, false, hardware, false))
                .isInstanceOfSatisfying(
                        DkvmException.class, e -> assertThat(e.text()).isEqualTo(text));
    }

    @Test
    void aStubWithoutAKernelIsNone() throws IOException {
        Path file = kernels.resolve("program");
        Files.write(file, new byte[] {'M', 'Z'});
        assertThat(KernelImage.isEfiProgram(file)).isFalse();
    }
}
