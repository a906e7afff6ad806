// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.dkvm.core.DkvmException;

/** Boots a VM to see whether its agent says hello. */
final class BootProbe {
    /** What the agent's HELLO has after the frame's header; see protocol/PROTOCOL.md. */
    private static final String MAGIC = "DKVM";

    private static final Duration PAUSE = Duration.ofMillis(5);
    private static final int MAX_BYTES = 4096;
    private static final int MAX_REASON = 200;

    private static final int QEMU_FAILED = 1;

    /** QEMU's own messages begin with its name. */
    private static final String QEMU = "qemu-system-";

    /** Another hypervisor has the processor's extension. */
    private static final String BUSY = "Device or resource busy";

    private static final List<String> GIVEN_UP = List.of("kvm run failed", "KVM internal error", "KVM: entry failed");

    private BootProbe() {}

    /** Runs a VM in a sandbox until its agent speaks or the time is over, and ends both. */
    static ProbeResult run(Jobs jobs, Job job, Duration limit) {
        try (Jobs.Running running = jobs.start(job)) {
            return watch(running.process(), limit);
        } catch (DkvmException e) {
            return notNow(String.valueOf(e.getMessage()));
        } catch (IOException e) {
            return notNow("QEMU can not be read from: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return notNow("interrupted");
        }
    }

    private static ProbeResult notNow(String reason) {
        return new ProbeResult(ProbeResult.Kind.NOT_NOW, reason);
    }

    /** Sure is what QEMU said itself; else it may have been killed, or runc not have started it. */
    private static ProbeResult ended(int code, String complaints) {
        String reason = "QEMU ended: " + lastLine(complaints, "exit code " + code);
        boolean sure = code == QEMU_FAILED && complaints.contains(QEMU) && !complaints.contains(BUSY);
        return new ProbeResult(sure ? ProbeResult.Kind.FAILS : ProbeResult.Kind.NOT_NOW, reason);
    }

    /** What QEMU says of a processor that KVM gave up, and then waits. */
    private static boolean isGivenUp(StringBuilder complaints) {
        for (String words : GIVEN_UP) {
            if (complaints.indexOf(words) >= 0) {
                return true;
            }
        }
        return false;
    }

    private static ProbeResult watch(Process qemu, Duration limit) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + limit.toNanos();
        StringBuilder said = new StringBuilder();
        StringBuilder complaints = new StringBuilder();
        while (true) {
            boolean alive = qemu.isAlive();
            take(qemu.getInputStream(), said);
            take(qemu.getErrorStream(), complaints);
            if (said.indexOf(MAGIC) >= 0) {
                return ProbeResult.WORKS;
            }
            boolean saidAll = qemu.getInputStream().available() == 0
                    && qemu.getErrorStream().available() == 0;
            if (!alive && saidAll) {
                return ended(qemu.exitValue(), complaints.toString());
            }
            if (!alive) {
                continue;
            }
            if (isGivenUp(complaints)) {
                return new ProbeResult(ProbeResult.Kind.FAILS, "KVM gave a processor up");
            }
            if (System.nanoTime() - deadline > 0) {
                return notNow("the guest did not start within " + limit.toMillis() + " ms"
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
}
