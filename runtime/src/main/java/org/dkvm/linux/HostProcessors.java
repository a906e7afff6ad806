// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

/** The processors of the host, as far as a VM can have them. */
public final class HostProcessors {
    /** As many as DKVM's own kernel knows, CONFIG_NR_CPUS of kernel/dkvm.config; a distribution's boots with fewer than it knows. */
    public static final int MOST = 64;

    private HostProcessors() {}

    /** How many this process may run on, at most {@link #MOST}. */
    public static int count() {
        return most(Runtime.getRuntime().availableProcessors());
    }

    static int most(int available) {
        return Math.min(available, MOST);
    }
}
