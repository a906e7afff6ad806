// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.options;

/** Whether a VM is held to its own addresses: the configuration's {@code antispoof}. */
public enum Antispoof {
    /** Where a container could not forge others: it has neither NET_RAW nor NET_ADMIN. */
    AUTO,
    ALWAYS,
    OFF;

    /**
     * Decides for one VM.
     *
     * @param forges whether a container with its capabilities could send in another's name
     */
    public boolean holds(boolean forges) {
        return switch (this) {
            case AUTO -> !forges;
            case ALWAYS -> true;
            case OFF -> false;
        };
    }
}
