// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class ProcessStartTest {
    @Test
    void theAgeIsTheTimeSinceTheStart() {
        String stat = "12 (a ) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 1050 20 21";
        assertThat(ProcessStart.ageNanos(stat, "12.34 99.99\n"))
                .isEqualTo(Duration.ofMillis(1840).toNanos());
        assertThat(ProcessStart.ageNanos(stat, "1.00 99.99\n")).isZero();
    }

    @Test
    void thisProcessHasBeenThereForAWhile() {
        assertThat(Duration.ofNanos(ProcessStart.ageNanos())).isBetween(Duration.ofMillis(10), Duration.ofDays(1));
    }
}
