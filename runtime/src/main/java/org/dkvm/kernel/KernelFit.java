// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.dkvm.core.DkvmException;
import org.dkvm.core.machine.Board;
import org.dkvm.core.machine.Firmware;
import org.dkvm.core.machine.Hardware;

/** Whether a kernel can do what not every one can: boot on hardware that is not the ordinary one, show text on a graphics card. By its files alone. */
public final class KernelFit {
    private static final String CONFIG = "config";

    /** Larger than any: Debian's has 270 KiB. */
    private static final int MOST_CONFIG_BYTES = 2 * 1024 * 1024;

    /**
     * A microvm without ACPI tells of its devices on the kernel's command line, of its processors and interrupts in a table of Intel's multiprocessor specification; the initramfs,
     * with modules in it, comes too late to look.
     */
    private static final List<String> FOR_MICROVM =
            List.of("CONFIG_VIRTIO_MMIO", "CONFIG_VIRTIO_MMIO_CMDLINE_DEVICES", "CONFIG_X86_MPPARSE");

    /** A card in text mode, which no other driver knows. */
    private static final List<String> FOR_TEXT = List.of("CONFIG_VGA_CONSOLE");

    /** The package's own, one for each need. */
    private static final List<String> INSTEAD = List.of("dkvm", "debian");

    private final KernelStore store;

    public KernelFit(KernelStore store) {
        this.store = store;
    }

    /**
     * The kernel that was chosen, or one that fits better.
     *
     * @param byDefault whether nobody asked for this kernel: then the package's first one that fits takes its place
     * @param text whether it has to have a text screen
     */
    public KernelStore.Found fit(KernelStore.Found chosen, boolean byDefault, Hardware hardware, boolean text)
            throws DkvmException {
        Optional<String> whyNot = whyNot(chosen, hardware, text);
        if (whyNot.isEmpty()) {
            return chosen;
        }
        Optional<KernelStore.Found> instead = instead(hardware, text);
        if (byDefault && instead.isPresent()) {
            return instead.get();
        }
        throw new DkvmException(
                "kernel \"" + chosen.name() + "\" can not boot " + whyNot.get(),
                instead.isPresent()
                        ? "DKVM_KERNEL=" + distribution(instead.get()) + " can"
                        : "\"dkvm kernel add\" adds one that can");
    }

    private static String distribution(KernelStore.Found kernel) {
        return kernel.name().substring(0, kernel.name().indexOf('/'));
    }

    private Optional<KernelStore.Found> instead(Hardware hardware, boolean text) throws DkvmException {
        for (String dist : INSTEAD) {
            if (store.has(dist)) {
                KernelStore.Found found = store.find(dist);
                if (whyNot(found, hardware, text).isEmpty()) {
                    return Optional.of(found);
                }
            }
        }
        return Optional.empty();
    }

    private static Optional<String> whyNot(KernelStore.Found kernel, Hardware hardware, boolean text)
            throws DkvmException {
        try {
            Optional<String> whyNoText = text ? whyNoText(kernel.directory()) : Optional.empty();
            if (whyNoText.isPresent()) {
                return whyNoText;
            }
            if (hardware.firmware() == Firmware.EFI
                    && !KernelImage.isEfiProgram(kernel.directory().resolve(kernel.image()))) {
                return Optional.of("by EFI: it is no EFI program");
            }
            return hardware.board() == Board.MICROVM ? whyNoMicrovm(kernel.directory()) : Optional.empty();
        } catch (IOException e) {
            throw new DkvmException("kernel \"" + kernel.name() + "\" can not be read: " + e.getMessage(), "", e);
        }
    }

    private static Optional<String> whyNoMicrovm(Path kernel) throws IOException {
        Path file = kernel.resolve(CONFIG);
        if (!Files.isRegularFile(file)) {
            return Optional.of("on the board \"microvm\", as far as is known: it came without its configuration");
        }
        return missing(file, FOR_MICROVM).map(symbol -> "on the board \"microvm\": it has no " + symbol + " built in");
    }

    /** Most kernels have one: one that does not say is tried, and the agent tells where there is none. */
    private static Optional<String> whyNoText(Path kernel) throws IOException {
        Path file = kernel.resolve(CONFIG);
        return Files.isRegularFile(file)
                ? missing(file, FOR_TEXT)
                        .map(symbol -> "with a text screen for DKVM_QEMU_DISPLAY: it has no " + symbol + " built in")
                : Optional.empty();
    }

    /** The first of the symbols that a configuration has not built in. */
    private static Optional<String> missing(Path file, List<String> symbols) throws IOException {
        Set<String> builtIn = new HashSet<>();
        try (InputStream stream = Files.newInputStream(file)) {
            String text = new String(stream.readNBytes(MOST_CONFIG_BYTES), StandardCharsets.US_ASCII);
            text.lines().filter(line -> line.endsWith("=y")).forEach(builtIn::add);
        }
        for (String symbol : symbols) {
            if (!builtIn.contains(symbol + "=y")) {
                return Optional.of(symbol);
            }
        }
        return Optional.empty();
    }
}
