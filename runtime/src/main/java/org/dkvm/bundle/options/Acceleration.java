// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.options;

/** What the user wants of acceleration: {@code DKVM_ACCEL} and the configuration's {@code accel}. */
public enum Acceleration {
    /** KVM where it is known to work, else TCG. */
    AUTO,
    KVM,
    TCG
}
