// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.machine;

import org.dkvm.core.MemorySize;

/**
 * How large a VM can become while it runs ({@code docker update}).
 *
 * @param cpus the most virtual CPUs, those it starts with included
 * @param memory the most memory, likewise
 */
public record Growth(int cpus, MemorySize memory) {
    public Growth {
        if (cpus < 1) {
            throw new IllegalArgumentException("a VM needs at least one CPU, not " + cpus);
        }
    }
}
