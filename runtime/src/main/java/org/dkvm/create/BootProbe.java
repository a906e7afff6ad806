// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.dkvm.linux.Program;

/** Boots a VM to see whether its agent says hello. */
final class BootProbe {
    /** What the agent's HELLO has after the frame's header; see protocol/PROTOCOL.md. */
    private static final String MAGIC = "DKVM";

    private static final Duration PAUSE = Duration.ofMillis(5);
    private static final Duration KILL_PATIENCE = Duration.ofSeconds(2);
    private static final int MAX_BYTES = 4096;
    private static final int MAX_REASON = 200;

    private BootProbe() {}

    /**
     * Runs a VM until its agent speaks or the time is over, and ends it.
     *
     * @return why it does not work; empty when it does
     */
    static Optional<String> run(List<String> command, Duration limit) {

        Program.startWithoutHelper();
        Process qemu;
        try {
            qemu = new ProcessBuilder(command).start();
        } catch (IOException e) {
            return Optional.of("QEMU does not start: " + e.getMessage());
        }
        try {
            return watch(qemu, limit);
        } catch (IOException e) {
            return Optional.of("QEMU can not be read from: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.of("interrupted");
        } finally {
            end(qemu);
        }
    }

    private static Optional<String> watch(Process qemu, Duration limit) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + limit.toNanos();
        StringBuilder said = new StringBuilder();
        StringBuilder complaints = new StringBuilder();
        while (true) {
            boolean alive = qemu.isAlive();
            take(qemu.getInputStream(), said);
            take(qemu.getErrorStream(), complaints);
            if (said.indexOf(MAGIC) >= 0) {
                return Optional.empty();
            }
            boolean saidAll = qemu.getInputStream().available() == 0
                    && qemu.getErrorStream().available() == 0;
            if (!alive && saidAll) {
                return Optional.of("QEMU ended: " + lastLine(complaints.toString(), "exit code " + qemu.exitValue()));
            }
            if (!alive) {
                continue;
            }
            if (System.nanoTime() - deadline > 0) {
                return Optional.of("the guest did not start within " + limit.toMillis() + " ms"
                        + lastLine(complaints.toString(), "").transform(line -> line.isEmpty() ? "" : ": " + line));
            }
            Thread.sleep(PAUSE);
        }
    }

    /** Takes what is ready; of more than fits the last is kept. */
    private static void take(InputStream stream, StringBuilder text) throws IOException {
        int ready = Math.min(stream.available(), MAX_BYTES);
        if (ready > 0) {
            text.append(new String(stream.readNBytes(ready), StandardCharsets.ISO_8859_1));
            text.delete(0, Math.max(0, text.length() - MAX_BYTES));
        }
    }

    /** The last line that says something, without control characters. */
    private static String lastLine(String text, String otherwise) {
        String stripped = text.strip();
        String line = stripped.substring(stripped.lastIndexOf('\n') + 1);
        StringBuilder clean = new StringBuilder();
        for (int i = 0; i < Math.min(line.length(), MAX_REASON); i++) {
            clean.append(line.charAt(i) >= ' ' && line.charAt(i) <= '~' ? line.charAt(i) : '?');
        }
        return clean.isEmpty() ? otherwise : clean.toString();
    }

    private static void end(Process qemu) {
        qemu.destroyForcibly();
        try {
            qemu.waitFor(KILL_PATIENCE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
