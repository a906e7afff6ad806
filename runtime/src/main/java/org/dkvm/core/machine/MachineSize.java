// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.machine;

import org.dkvm.core.MemorySize;

/**
 * How large a VM is.
 *
 * @param cpus virtual CPUs that it starts with, at least 1
 * @param memory the memory that it starts with
 * @param growth how large it can become while it runs
 */
public record MachineSize(int cpus, MemorySize memory, Growth growth) {
    public MachineSize {
        if (cpus < 1) {
            throw new IllegalArgumentException("a VM needs at least one CPU, not " + cpus);
        }
        if (growth.cpus() < cpus || growth.memory().compareTo(memory) < 0) {
            throw new IllegalArgumentException(
                    "a VM of " + cpus + " CPUs and " + memory + " can not grow to " + growth);
        }
    }

    /** One that stays as it is. */
    public static MachineSize fixed(int cpus, MemorySize memory) {
        return new MachineSize(cpus, memory, new Growth(cpus, memory));
    }

    /** Whether memory can be added while it runs. */
    public boolean canGetMemory() {
        return growth.memory().compareTo(memory) > 0;
    }
}
