// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

/**
 * What of a running VM is to be changed, as in UPDATE; anything may stand here.
 *
 * @param memory bytes; 0: as it is
 * @param processors so many; 0: as many as there are
 * @param pids processes and threads of the workload; 0: the limit stays; {@link #NO_LIMIT}
 */
public record VmLimits(long memory, int processors, long pids) {
    /** As many processes as there is room for. */
    public static final long NO_LIMIT = -1;
}
