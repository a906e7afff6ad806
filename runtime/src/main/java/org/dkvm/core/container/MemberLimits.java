// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.container;

import org.dkvm.core.MemorySize;

/**
 * What the processes of one of several containers of a VM may use, counted by the guest's kernel (cgroup v2).
 *
 * @param memory bytes; 0: no limit
 * @param cpuQuota microseconds of processor time in each period; 0: no limit
 * @param cpuPeriod microseconds
 * @param cpuWeight its share where processors are short, 1 to 10000; 0: the kernel's default
 * @param unlimited bytes of the VM's memory that all containers without a limit have together
 */
public record MemberLimits(long memory, long cpuQuota, long cpuPeriod, long cpuWeight, long unlimited) {
    /** What a VM of several containers has for its kernel and its agent, beside all of their memory. */
    public static final MemorySize GUESTS_OWN = MemorySize.ofMib(48);

    private static final long DEFAULT_PERIOD = 100_000;

    public MemberLimits {
        if (cpuQuota > 0 && cpuPeriod <= 0) {
            cpuPeriod = DEFAULT_PERIOD;
        }
    }
}
