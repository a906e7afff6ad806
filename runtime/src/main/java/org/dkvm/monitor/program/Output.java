// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.program;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import org.dkvm.agent.GuestText;

/**
 * What a program of the sandbox left, which ended.
 *
 * @param exitCode 128 and a signal's number where one ended it
 * @param words the beginning of what it wrote, a character for each byte
 */
public record Output(int exitCode, String words) {
    /**
     * Starts a program and awaits its end.
     *
     * @param most how many bytes of its words are kept
     */
    public static Output of(Programs programs, ProgramStart start, int most) throws IOException {
        RunningProgram program = programs.start(start);
        try (InputStream words = program.words()) {
            byte[] kept = words.readNBytes(most);
            words.transferTo(OutputStream.nullOutputStream());
            return new Output(program.waitFor(), new String(kept, StandardCharsets.ISO_8859_1));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("it was interrupted", e);
        }
    }

    /** For people, without what would hurt a terminal. */
    public String said() {
        return GuestText.lines(words.getBytes(StandardCharsets.ISO_8859_1)).strip();
    }
}
