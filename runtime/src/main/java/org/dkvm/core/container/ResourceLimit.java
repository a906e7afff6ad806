// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.container;

/**
 * One limit of setrlimit(2).
 *
 * @param resource RLIMIT_* as numbered on x86-64
 * @param soft the limit in force, -1 for none (RLIM_INFINITY)
 * @param hard the highest soft limit the process may set, -1 for none
 */
public record ResourceLimit(int resource, long soft, long hard) {
    private static final int RESOURCES = 16;

    public ResourceLimit {
        if (resource < 0 || resource >= RESOURCES) {
            throw new IllegalArgumentException("resource limit " + resource + " does not exist");
        }
    }
}
