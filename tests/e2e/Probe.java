// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import org.opentest4j.TestAbortedException;

/** Finds out what this machine can do, by trying it under the reference: a case that needs more skips, and says why. */
final class Probe {
    private Probe() {}

    /** Skips the case unless {@code docker run} with these arguments works under the reference. */
    static void needs(String what, String... arguments) throws Exception {
        Docker docker = new Docker(Settings.REFERENCE);
        try {
            Outcome outcome = Running.complete(docker.runCommand(docker.name(), arguments), Bytes.of(""));
            if (outcome.exitCode() != 0) {
                throw new TestAbortedException("this machine cannot do it, even with " + Settings.REFERENCE + ": "
                        + what + ": " + outcome.errors());
            }
        } finally {
            docker.cleanUp();
        }
    }
}
