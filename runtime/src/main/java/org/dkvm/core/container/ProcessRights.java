// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.container;

import java.util.List;

/**
 * What a process may.
 *
 * @param capabilities its capability sets
 * @param noNewPrivileges see PR_SET_NO_NEW_PRIVS of prctl(2)
 * @param limits its resource limits
 * @param oomScoreAdj -1000 … 1000
 */
public record ProcessRights(
        CapabilitySets capabilities, boolean noNewPrivileges, List<ResourceLimit> limits, int oomScoreAdj) {
    public ProcessRights {
        limits = List.copyOf(limits);
    }
}
