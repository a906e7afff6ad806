// SPDX-License-Identifier: Apache-2.0
package org.dkvm.install;

import java.nio.charset.StandardCharsets;
import org.dkvm.core.DkvmException;
import org.dkvm.fuzz.Bounded;

/** Docker's daemon.json: DKVM is entered once, and taken out again without a trace, or the file is refused. */
public final class DaemonConfigFuzz {
    private static final String NAME = "dkvm";
    private static final String PROGRAM = "/opt/dkvm/\"dkvm\"";

    private DaemonConfigFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        Bounded.run(input, bytes -> take(new String(bytes, StandardCharsets.UTF_8)));
    }

    private static void take(String text) throws DkvmException {
        String registered;
        try {
            DaemonConfig.unregister(text, NAME);
            registered = DaemonConfig.register(text, NAME, PROGRAM);
        } catch (DkvmException e) {
            return;
        }
        Bounded.check(
                registered.equals(DaemonConfig.register(registered, NAME, PROGRAM)), "registered twice: " + registered);
        String out = DaemonConfig.unregister(registered, NAME);
        Bounded.check(out.equals(DaemonConfig.unregister(out, NAME)), "taken out twice: " + out);
    }
}
