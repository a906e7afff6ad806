// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli.vm;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.dkvm.core.DkvmException;
import org.dkvm.vm.GuestReport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Many guests, of which some do not answer. */
@Timeout(60)
class GuestRoundsTest {
    private static final GuestReport REPORT = new GuestReport(1, 1, 1, 1, 1, 1, List.of());
    private static final GuestRounds.Answer SAID = new GuestRounds.Answer(REPORT, "");
    private static final GuestRounds.Answer LATE = new GuestRounds.Answer(null, GuestRounds.LATE);

    /** The end of a hang, and no measure of speed. */
    private static final Duration LONG = Duration.ofSeconds(50);

    private static final Duration SHORT = Duration.ofMillis(100);

    @Test
    void aGuestThatHangsIsAskedOnceAndHeardWhenItAnswers() throws Exception {
        CountDownLatch hangs = new CountDownLatch(1);
        AtomicInteger times = new AtomicInteger();
        Map<String, Callable<GuestReport>> questions = new LinkedHashMap<>();
        questions.put("hangs", () -> {
            times.incrementAndGet();
            hangs.await();
            return REPORT;
        });
        questions.put("refuses", () -> {
            throw new DkvmException("it is paused", "");
        });
        GuestRounds rounds = new GuestRounds();
        GuestRounds.Answer refused = new GuestRounds.Answer(null, "it is paused");
        assertThat(rounds.ask(questions, SHORT)).containsEntry("hangs", LATE);
        assertThat(rounds.ask(Map.of("refuses", questions.get("refuses"), "hangs", questions.get("hangs")), SHORT))
                .containsEntry("hangs", LATE);
        hangs.countDown();
        assertThat(rounds.ask(questions, LONG)).containsEntry("hangs", SAID).containsEntry("refuses", refused);
        assertThat(times).hasValue(1);
        assertThat(rounds.ask(questions, LONG)).containsEntry("hangs", SAID);
        assertThat(times).hasValue(2);
    }

    @Test
    void manyThatHangKeepNobodyFromBeingAsked() throws Exception {
        CountDownLatch hang = new CountDownLatch(1);
        Map<String, Callable<GuestReport>> questions = new LinkedHashMap<>();
        for (int i = 0; i < 20; i++) {
            questions.put("hangs " + i, () -> {
                hang.await();
                return REPORT;
            });
        }
        GuestRounds rounds = new GuestRounds();
        assertThat(rounds.ask(questions, SHORT)).containsValue(LATE).doesNotContainValue(SAID);
        CountDownLatch asked = new CountDownLatch(1);
        questions.put("answers", () -> {
            asked.countDown();
            return REPORT;
        });
        rounds.ask(questions, SHORT);
        rounds.ask(questions, SHORT);
        rounds.ask(questions, SHORT);
        asked.await();
        assertThat(rounds.ask(questions, SHORT)).containsEntry("answers", SAID).containsEntry("hangs 19", LATE);
        hang.countDown();
    }
}
