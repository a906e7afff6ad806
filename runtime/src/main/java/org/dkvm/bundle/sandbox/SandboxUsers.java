// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.sandbox;

import org.dkvm.core.DkvmException;
import org.dkvm.linux.UserNamespace;

/**
 * Whose ids a sandbox's programs have.
 *
 * @param first that of QEMU's user; those of the others that are not root follow
 * @param mapped whether root there is root in a user's namespace only, and not the host's
 */
public record SandboxUsers(long first, boolean mapped) {
    /** QEMU, dkvm-network, dkvm-events, dkvm-web; dkvm-forward is not there where they are mapped. */
    public static final int COUNT = 4;

    /**
     * Those of an engine.
     *
     * @param configured the host's setting, for root's
     */
    public static SandboxUsers of(UserNamespace engines, long configured) throws DkvmException {
        return engines.isHosts() ? new SandboxUsers(configured, false) : new SandboxUsers(engines.spare(COUNT), true);
    }
}
