// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.plan;

/**
 * What the sandbox may.
 *
 * @param sysAdmin whether virtiofsd has CAP_SYS_ADMIN
 * @param memoryCeiling bytes of memory and swap at which the engine's control group kills in it; 0: it has no such limit
 * @param startSeconds how long a phase of its start may take; the other limits of its start and its end are in proportion
 */
public record SandboxRights(boolean sysAdmin, long memoryCeiling, int startSeconds) {
    /** How long a phase of a start may take where the host does not say. */
    public static final int USUAL_START_SECONDS = 60;

    public SandboxRights {
        if (startSeconds < 1) {
            throw new IllegalArgumentException("a start of " + startSeconds + " s");
        }
    }
}
