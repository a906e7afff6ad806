// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class OwnCapabilitiesTest {
    @Test
    void theBoundingSetIsRead() {
        assertThat(OwnCapabilities.bounding("Name:\tx\nCapEff:\t0\nCapBnd:\t000001ffffffffff\nCapAmb:\t0\n"))
                .isEqualTo((1L << 41) - 1);
        assertThat(OwnCapabilities.bounding()).isNotZero();
    }

    @Test
    void whereNothingIsToldNothingIsMissing() {
        assertThat(OwnCapabilities.bounding("Name:\tx\n")).isEqualTo(-1);
        assertThat(OwnCapabilities.bounding("Name:\tx\nCapBnd:\tnone\n")).isEqualTo(-1);
    }
}
