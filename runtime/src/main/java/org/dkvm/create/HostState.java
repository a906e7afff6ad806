// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.dkvm.linux.StatePlaces;

/** Where what was found out about this host is kept, and by what one boot of it is told from the next. */
final class HostState {
    static final Path DIRECTORY = StatePlaces.run();

    /** See random(4). */
    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");

    private static final int MAX_BYTES = 256;

    private HostState() {}

    /** The name of this boot; empty where the kernel does not tell. */
    static String bootId() {
        return firstLine(BOOT_ID);
    }

    /** A short file's first line, of at most 256 bytes; empty for a file that can not be read. */
    static String firstLine(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            String text = new String(in.readNBytes(MAX_BYTES), StandardCharsets.UTF_8).strip();
            int end = text.indexOf('\n');
            return end < 0 ? text : text.substring(0, end);
        } catch (IOException e) {
            return "";
        }
    }
}
