// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.start;

import org.dkvm.agent.Client;
import org.dkvm.agent.SessionRouter;
import org.dkvm.core.machine.BreakPoint;
import org.jspecify.annotations.Nullable;

/** The launch waiting for a person at the container's terminal ({@code DKVM_BREAK}); no deadline runs meanwhile. */
public final class Pause {
    /** CHLD, CONT, STOP, TSTP, TTIN, TTOU, URG and WINCH: signal n is bit n. See signal(7). */
    private static final long HARMLESS =
            1L << 17 | 1L << 18 | 1L << 19 | 1L << 20 | 1L << 21 | 1L << 22 | 1L << 23 | 1L << 28;

    private final SessionRouter router;
    private @Nullable Client main;
    private @Nullable BreakPoint point;
    private boolean told;

    public Pause(SessionRouter router) {
        this.router = router;
    }

    /** From now on the launch waits. */
    public void begin(BreakPoint at) {
        point = at;
        told = false;
        tell();
    }

    /** The main client is there. */
    public void attached(Client client) {
        main = client;
        tell();
    }

    /** The person goes on. */
    public void end() {
        point = null;
    }

    public boolean isOn() {
        return point != null;
    }

    /** Whether a signal ends what waits, as it would any program that does not expect it: there is no workload yet that might. */
    public static boolean endsBy(int signal) {
        return signal >= Long.SIZE || (HARMLESS >> signal & 1) == 0;
    }

    private void tell() {
        Client client = main;
        BreakPoint at = point;
        if (client != null && at != null && !told) {
            told = true;
            router.pauseMain(client, at.label());
        }
    }
}
