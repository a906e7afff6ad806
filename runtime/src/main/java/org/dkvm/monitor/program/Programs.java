// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.program;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.dkvm.core.DkvmException;
import org.dkvm.network.Takeover;

/** How the monitor runs other programs. */
public interface Programs {
    /** Starts a program with nothing on its standard input, its standard output and error joined in one pipe. */
    Process start(List<String> argv) throws IOException;

    /** As {@link #start}, but standard input and output are a terminal, and the environment has these variables, too. */
    Process startOnTerminal(List<String> argv, Path terminal, Map<String, String> environment) throws IOException;

    /** Runs a program that reads its orders from standard input to its end: {@code ip -batch -}. */
    void batch(List<String> argv, String orders) throws DkvmException;

    /** Has ip(8) carry these orders out. */
    default void ip(String orders) throws DkvmException {
        batch(List.of("/usr/bin/ip", "-batch", "-"), orders);
    }

    /** Makes the taps of a takeover and joins them with their devices. */
    default void takeOver(Takeover takeover) throws DkvmException {
        ip(takeover.ipBatch());
        tc(takeover.tcBatch());
    }

    /** Has tc(8) carry these orders out. */
    default void tc(String orders) throws DkvmException {
        batch(List.of("/usr/sbin/tc", "-batch", "-"), orders);
    }
}
