// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.dkvm.core.DkvmException;

/** What a kernel was built with, where its directory says so. */
public final class KernelConfig {
    private static final String TEXT_SCREEN = "CONFIG_VGA_CONSOLE=y";

    private KernelConfig() {}

    /** Refuses a kernel that can not show text on a graphics card by itself; one whose package has no configuration passes. */
    public static void checkTextScreen(KernelStore.Found kernel) throws DkvmException {
        Path file = kernel.directory().resolve("config");
        if (!Files.isRegularFile(file)) {
            return;
        }
        try (Stream<String> lines = Files.lines(file, StandardCharsets.ISO_8859_1)) {
            if (lines.noneMatch(TEXT_SCREEN::equals)) {
                throw new DkvmException(
                        "option \"DKVM_QEMU_DISPLAY\" is curses, and the kernel \"" + kernel.name()
                                + "\" has no text screen",
                        "give one that has, such as DKVM_KERNEL=debian");
            }
        } catch (IOException | UncheckedIOException e) {
            throw new DkvmException("\"" + file + "\" can not be read: " + e.getMessage(), "", e);
        }
    }
}
