// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.program;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.dkvm.agent.GuestText;
import org.dkvm.core.DkvmException;

/** The sandbox's own programs, as processes. */
public final class SandboxPrograms implements Programs {
    private static final Duration BATCH_DEADLINE = Duration.ofSeconds(20);
    private static final int MAX_OUTPUT = 4096;

    @Override
    public Process start(List<String> argv) throws IOException {
        // Never our own standard input: it is the session socket.
        return new ProcessBuilder(argv)
                .redirectInput(new File("/dev/null"))
                .redirectErrorStream(true)
                .start();
    }

    @Override
    public Process startOnTerminal(List<String> argv, Path terminal, Map<String, String> environment)
            throws IOException {
        ProcessBuilder builder = new ProcessBuilder(argv)
                .redirectInput(terminal.toFile())
                .redirectOutput(ProcessBuilder.Redirect.appendTo(terminal.toFile()));
        builder.environment().putAll(environment);
        return builder.start();
    }

    @Override
    public void batch(List<String> argv, String orders) throws DkvmException {
        String command = "\"" + String.join(" ", argv) + "\"";
        Process process;
        try {
            process = new ProcessBuilder(argv).redirectErrorStream(true).start();
        } catch (IOException e) {
            throw new DkvmException("can not start " + command + ": " + e.getMessage(), "", e);
        }
        try {
            give(process, orders);
            if (!process.waitFor(BATCH_DEADLINE.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new DkvmException(command + " took longer than " + BATCH_DEADLINE.toSeconds() + " s", "");
            }
            if (process.exitValue() != 0) {
                byte[] output = process.getInputStream().readNBytes(MAX_OUTPUT);
                throw new DkvmException(
                        command + " failed: " + GuestText.lines(output).strip(),
                        "does the host have the modules tun, sch_ingress, cls_u32 and act_mirred? \"dkvm check\" looks");
            }
        } catch (IOException | InterruptedException e) {
            throw new DkvmException(command + ": " + e.getMessage(), "", e);
        } finally {
            process.destroyForcibly();
        }
    }

    /** The orders fit the pipe (64 KiB): a program that does not read them can not hold us up, and one that ended says why itself. */
    private static void give(Process process, String orders) {
        try (OutputStream in = process.getOutputStream()) {
            in.write(orders.getBytes(StandardCharsets.US_ASCII));
        } catch (IOException e) {
            process.destroy();
        }
    }
}
