// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.services;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import org.dkvm.monitor.loop.EventLoop;
import org.dkvm.monitor.loop.MonitorLog;
import org.junit.jupiter.api.Test;

class ShareFilesTest {
    private static final long LIMIT = 4096;

    private long open = 30;
    private long held = 30;
    private int orders;
    private boolean running = true;

    /** Every look finds 500 files more, and what is forgotten is all that nobody holds. */
    private void looks(int times) throws IOException {
        EventLoop loop = new EventLoop();
        int[] left = {times};
        new ShareFiles(
                        loop,
                        new MonitorLog(new ByteArrayOutputStream()),
                        () -> LIMIT,
                        () -> left[0]-- > 0 ? open += 500 : -1,
                        () -> running,
                        answer -> {
                            orders++;
                            open = held;
                            answer.run();
                        })
                .watch();
        while (left[0] >= 0) {
            loop.round(() -> {});
        }
    }

    @Test
    void theGuestForgetsBeforeTheDescriptorsEnd() throws IOException {
        looks(20);
        assertThat(orders).isBetween(3, 6);
        assertThat(open).isLessThan(LIMIT);
    }

    @Test
    void aGuestThatIsNotSetUpIsToldNothing() throws IOException {
        running = false;
        looks(8);
        assertThat(orders).isZero();
    }

    @Test
    void whatProgramsHoldOpenIsNotAskedForAgainAndAgain() throws IOException {
        held = 2500;
        looks(5);
        assertThat(orders).isLessThanOrEqualTo(2);
    }

    @Test
    void halfOfTheLimitIsTheFirstMarkAndMemoryAnother() {
        assertThat(ShareFiles.first(LIMIT)).isEqualTo(2048);
        assertThat(ShareFiles.first(1_048_576)).isEqualTo(ShareFiles.ENOUGH);
        assertThat(ShareFiles.next(LIMIT, 100)).isEqualTo(2048);
        assertThat(ShareFiles.next(LIMIT, 3096)).isEqualTo(3596);
        assertThat(ShareFiles.next(LIMIT, LIMIT)).isGreaterThan(LIMIT);
    }

    @Test
    void theNearerTheEndTheMoreOftenItLooks() {
        assertThat(ShareFiles.pause(1_000_000)).isEqualTo(Duration.ofSeconds(1));
        assertThat(ShareFiles.pause(4096)).isEqualTo(Duration.ofMillis(81));
        assertThat(ShareFiles.pause(-5)).isEqualTo(Duration.ofMillis(25));
    }
}
