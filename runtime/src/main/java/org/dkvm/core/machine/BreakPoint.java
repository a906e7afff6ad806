// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.machine;

import java.util.Locale;

/** Where the launch of a VM can wait for a person ({@code DKVM_BREAK}), in the order of the launch. */
public enum BreakPoint {
    /** Before the sandbox's network is taken over. */
    PRENET,
    /** After that. */
    POSTNET,
    /** When all is ready, before QEMU is started. */
    PREQEMU;

    /** Its name in the option, and in the prompt. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
