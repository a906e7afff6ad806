// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.options;

import org.dkvm.core.MemorySize;
import org.dkvm.core.machine.Accelerator;

/**
 * What a sandbox needs beyond its VM's memory.
 *
 * @param kvm with KVM
 * @param tcg with TCG, which is no less
 */
public record Overhead(MemorySize kvm, MemorySize tcg) {
    public Overhead {
        if (tcg.compareTo(kvm) < 0) {
            throw new IllegalArgumentException("an overhead of " + tcg + " with TCG is less than " + kvm + " with KVM");
        }
    }

    /** With either. */
    public MemorySize with(Accelerator accelerator) {
        return switch (accelerator) {
            case KVM -> kvm;
            case TCG -> tcg;
        };
    }
}
