// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.link;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** What the guest's console said, for people who come later: the newest part in a file, the one before it beside it. */
public final class ConsoleFile {
    /** Bytes of a part. */
    static final int PART_BYTES = 64 * 1024;

    private static final String OLDER = "console.old";

    private final Path file;
    private long bytes;
    private boolean broken;

    /** Nothing is made before there is something to write. */
    public ConsoleFile(Path file) {
        this.file = file;
    }

    /** Adds some text. Where it can not be written, the console goes on without. */
    void add(byte[] text) {
        if (broken) {
            return;
        }
        try {
            if (bytes > 0 && bytes + text.length > PART_BYTES) {
                Files.move(file, file.resolveSibling(OLDER), StandardCopyOption.REPLACE_EXISTING);
                bytes = 0;
            }
            Files.write(file, text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            bytes += text.length;
        } catch (IOException e) {
            broken = true;
        }
    }
}
