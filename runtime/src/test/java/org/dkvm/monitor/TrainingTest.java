// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class TrainingTest {
    @Test
    @Timeout(60)
    void trainingGoesTheWholeWay() {
        assertThat(MonitorMain.train()).isZero();
    }
}
