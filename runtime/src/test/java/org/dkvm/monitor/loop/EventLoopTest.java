// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.loop;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class EventLoopTest {
    private final EventLoop loop;
    private long nanos;
    private long whileWaiting;
    private int asked;
    private boolean late;

    EventLoopTest() throws IOException {
        loop = new EventLoop(this::clock);
    }

    /** A round asks before it waits and after. */
    private long clock() {
        asked++;
        if (asked == 2) {
            nanos += whileWaiting;
        }
        return nanos;
    }

    @BeforeEach
    void setATimer() {
        loop.after(Duration.ofMinutes(1), () -> late = true);
    }

    private void waitFor(Duration time) throws IOException {
        asked = 0;
        whileWaiting = time.toNanos();
        loop.selector().wakeup();
        loop.round(() -> {});
    }

    @Test
    void aTimerIsDueAfterItsTime() throws IOException {
        for (int i = 0; i < 59; i++) {
            waitFor(Duration.ofSeconds(1));
        }
        assertThat(late).isFalse();
        waitFor(Duration.ofSeconds(1));
        assertThat(late).isTrue();
    }

    @Test
    void theTimeOfAPauseIsNobodys() throws IOException {
        waitFor(Duration.ofSeconds(1));
        waitFor(Duration.ofMinutes(10));
        waitFor(Duration.ofSeconds(1));
        assertThat(late).isFalse();
        for (int i = 0; i < 60; i++) {
            waitFor(Duration.ofSeconds(1));
        }
        assertThat(late).isTrue();
    }
}
