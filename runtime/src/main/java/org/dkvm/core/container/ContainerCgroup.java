// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.container;

/**
 * A container's control groups.
 *
 * @param mode the hierarchies that it finds mounted
 * @param pidsLimit processes and threads that it may have; 0: no limit
 */
public record ContainerCgroup(CgroupMode mode, long pidsLimit) {
    public ContainerCgroup {
        if (pidsLimit < 0) {
            throw new IllegalArgumentException("pids limit " + pidsLimit + " is negative");
        }
    }
}
