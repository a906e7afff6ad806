// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.container;

/** The cgroup hierarchies mounted in the guest ({@code DKVM_CGROUPFS}); the number is the one in the protocol. */
public enum CgroupMode {
    NONE(0),
    V1(1),
    V2(2),
    HYBRID(3);

    private final int code;

    CgroupMode(int code) {
        this.code = code;
    }

    /** The value of the protocol's CGROUPS record. */
    public int code() {
        return code;
    }
}
