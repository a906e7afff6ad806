// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DkvmExceptionTest {
    @Test
    void adviceFollowsTheMessage() {
        assertThat(new DkvmException("it fails", "").text()).isEqualTo("it fails");
        assertThat(new DkvmException("it fails", "mend it").text()).isEqualTo("it fails; mend it");
    }

    @Test
    void whatAnImageIsCalledDoesNotMoveTheReadersCursor() {
        assertThat(new DkvmException("exec: \"\u001b[31m\u009bzz\u202e\"\nand more", "\u0007").text())
                .isEqualTo("exec: \"\\x1b[31m\\x9bzz\\u202e\"\nand more; \\x07");
    }
}
