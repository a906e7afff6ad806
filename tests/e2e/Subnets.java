// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import java.util.concurrent.atomic.AtomicInteger;

/** Networks whose addresses a case wants to choose: each side of each case gets its own. */
final class Subnets {
    private static final AtomicInteger NEXT =
            new AtomicInteger((int) (ProcessHandle.current().pid() % 100));

    private Subnets() {}

    /** Three numbers of a /24, without a dot behind them; they read {@code {subnet}} in what is observed. */
    static String ipv4(Docker docker) {
        String prefix = "10.213." + (100 + NEXT.incrementAndGet() % 150);
        docker.alias(prefix + ".", "subnet.");
        return prefix;
    }

    /** A /64 up to its two colons; it reads {@code {prefix}} in what is observed. */
    static String ipv6(Docker docker) {
        String prefix = "fd00:213:" + Integer.toHexString(NEXT.incrementAndGet()) + "::";
        docker.alias(prefix, "prefix:");
        return prefix;
    }
}
