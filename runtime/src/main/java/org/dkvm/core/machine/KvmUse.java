// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.machine;

/**
 * How a VM uses KVM.
 *
 * @param nested whether the guest's processors have the extension for VMs of its own
 * @param replaceable whether TCG takes its place where another program turns out to have the processor's extension
 */
public record KvmUse(boolean nested, boolean replaceable) {
    /** Where there is none, and where nothing is asked for. */
    public static final KvmUse PLAIN = new KvmUse(false, false);
}
