// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.machine;

/**
 * What a VM's processors are.
 *
 * @param accelerator how their instructions are run
 * @param kvm how that is done by KVM, where it is
 * @param tscKilohertz how often the host's time stamp counter counts, which emulated ones have, too; 0: not told
 */
public record Processor(Accelerator accelerator, KvmUse kvm, long tscKilohertz) {
    /** With nothing more to say of KVM. */
    public Processor(Accelerator accelerator, long tscKilohertz) {
        this(accelerator, KvmUse.PLAIN, tscKilohertz);
    }

    /** The same without KVM. */
    public Processor translated() {
        return new Processor(Accelerator.TCG, tscKilohertz);
    }
}
