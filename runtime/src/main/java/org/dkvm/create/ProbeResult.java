// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

/**
 * What came of booting a VM to see whether it works.
 *
 * @param reason why not, as far as it is known; empty when it works
 */
record ProbeResult(Kind kind, String reason) {
    /** How sure that is. */
    enum Kind {
        WORKS,
        /** It can not, and will not the next time. */
        FAILS,
        /** It did not, for now: it may have been too slow, or somebody else have what it needs. */
        NOT_NOW
    }

    static final ProbeResult WORKS = new ProbeResult(Kind.WORKS, "");

    boolean works() {
        return kind == Kind.WORKS;
    }
}
