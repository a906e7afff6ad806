// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.dkvm.bundle.SandboxPlan;
import org.dkvm.core.Accelerator;
import org.dkvm.core.Board;
import org.dkvm.core.DkvmException;
import org.dkvm.core.SandboxPaths;
import org.jspecify.annotations.Nullable;

/** How fast the host's time stamp counter runs: an emulated machine's is the same, and a microvm's kernel has to be told. Measured while other things are done. */
final class TscRate {
    private static final List<String> PROGRAM = List.of(SandboxPaths.PACKAGE + "/dkvm-tsc");
    private static final int MAX_OUTPUT = 64;

    private final @Nullable Process measuring;

    private TscRate(@Nullable Process measuring) {
        this.measuring = measuring;
    }

    /** Begins to measure, where it is of use to the machine. */
    static TscRate of(SandboxPlan plan, Programs programs) throws DkvmException {
        if (plan.hardware().board() != Board.MICROVM || plan.accelerator() != Accelerator.TCG) {
            return new TscRate(null);
        }
        try {
            return new TscRate(programs.start(PROGRAM));
        } catch (IOException e) {
            throw new DkvmException("can not start \"" + PROGRAM.get(0) + "\": " + e.getMessage(), "", e);
        }
    }

    /** The result; 0 where it was not measured. */
    int kilohertz() throws DkvmException {
        Process process = measuring;
        if (process == null) {
            return 0;
        }
        try {
            byte[] said = process.getInputStream().readNBytes(MAX_OUTPUT);
            process.waitFor();
            return Integer.parseInt(new String(said, StandardCharsets.US_ASCII).strip());
        } catch (IOException | InterruptedException | NumberFormatException e) {
            throw new DkvmException(
                    "the host's time stamp counter can not be measured: " + e.getMessage(),
                    "DKVM_MACHINE=q35 does without",
                    e);
        }
    }
}
