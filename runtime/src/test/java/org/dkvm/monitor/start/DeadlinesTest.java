// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.start;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class DeadlinesTest {
    @Test
    void allAreInProportionToTheHostsLimitOfAPhase() {
        assertThat(Deadlines.GENEROUS.within(60)).isEqualTo(Deadlines.GENEROUS);
        assertThat(Deadlines.GENEROUS.within(600))
                .isEqualTo(new Deadlines(
                        Duration.ofMinutes(10),
                        Duration.ofMinutes(20),
                        Duration.ofSeconds(100),
                        Duration.ofSeconds(100)));
    }

    @Test
    void aGuestThatEndsHasNoLessTimeThanUsual() {
        Deadlines brief = Deadlines.GENEROUS.within(30);
        assertThat(brief.step()).isEqualTo(Duration.ofSeconds(30));
        assertThat(brief.finish()).isEqualTo(Deadlines.GENEROUS.finish());
    }
}
