// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core;

/**
 * How much is kept of VMs that are gone.
 *
 * @param vms of how many the log is kept; 0: of none
 * @param size of all logs together
 */
public record LogLimits(int vms, MemorySize size) {
    public LogLimits {
        if (vms < 0) {
            throw new IllegalArgumentException("logs of " + vms + " VMs can not be kept");
        }
    }
}
