// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.machine;

/** How QEMU runs the guest's instructions. */
public enum Accelerator {
    /** In hardware, by /dev/kvm. */
    KVM,
    /** Translated by QEMU itself: works everywhere, slower. */
    TCG
}
