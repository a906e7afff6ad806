// SPDX-License-Identifier: Apache-2.0
package org.dkvm.training;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class MonitorTrainingTest {
    @Test
    @Timeout(60)
    void trainingGoesTheWholeWay() throws Exception {
        assertThat(MonitorTraining.run()).isZero();
    }
}
