// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.TOOLS;

import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** The time of day in a VM. Only under dkvm: under runc these programs would set the clock of the host. */
@EndToEnd
class TimeTest {
    private static final BigDecimal NANOS = BigDecimal.valueOf(1_000_000_000L);
    private static final long NANOS_OF_MILLI = 1_000_000;
    private static final Duration CLOCK_PAUSE = Duration.ofSeconds(1);
    /** What a clock may be wrong by, beyond the time that the question took. */
    private static final long WORST_MILLIS = 50;

    /** adjtimex(2), ADJ_TICK: the kernel counts so many microseconds at each of a hundred ticks a second. */
    private static String tick(int micros) {
        return """
                import ctypes
                class Timex(ctypes.Structure): _fields_ = [("modes", ctypes.c_uint), ("before", ctypes.c_long * 10), ("tick", ctypes.c_long), ("rest", ctypes.c_char * 200)]
                change = Timex(modes=0x4000)
                change.tick = %d
                assert ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(change)) >= 0, ctypes.get_errno()
                """.formatted(micros);
    }

    private static Instant time(Docker docker, Container container) throws Exception {
        BigDecimal seconds = new BigDecimal(
                docker.quietly("exec", container.name(), "date", "+%s.%N").strip());
        return Instant.ofEpochSecond(0, seconds.multiply(NANOS).longValueExact());
    }

    private static boolean isTheHosts(Docker docker, Container container) throws Exception {
        Instant before = Instant.now();
        Instant there = time(docker, container);
        return !there.isBefore(before.minusMillis(50))
                && !there.isAfter(Instant.now().plusMillis(50));
    }

    private static boolean logs(Container container, String text) throws Exception {
        return Host.dkvm("logs", container.name()).text().contains(text);
    }

    /** Says what time it is at each line that comes, beside a program that has a processor to itself. */
    private static final String TELLS_TIME = """
            import subprocess, sys, time
            subprocess.Popen(["sh", "-c", "while :; do :; done"])
            for line in sys.stdin: print(time.time_ns(), flush=True)
            """;

    private static long hostNanos() {
        Instant now = Instant.now();
        return now.getEpochSecond() * NANOS.longValueExact() + now.getNano();
    }

    /** By how much the guest's clock is wrong, whenever between question and answer it was read: ns. */
    private static long error(Running guest, int question) throws Exception {
        long asked = hostNanos();
        guest.write("\n");
        guest.awaitStdout("\n", question);
        long answered = hostNanos();
        long there = Long.parseLong(
                guest.stdoutSoFar().lines().skip(question - 1L).findFirst().orElseThrow());
        return Math.max(0, Math.max(asked - there, there - answered));
    }

    /** {@code make soak-clock} does it for an hour. */
    @Test
    void theClockKeepsTheTimeUnderLoad() throws Exception {
        onVm(docker -> {
            Running guest = docker.open("-i", TOOLS, "python3", "-c", TELLS_TIME);
            AtomicInteger questions = new AtomicInteger();
            // A busy host answers late, and a late answer leaves some of the error: until one has come in time.
            Deadline.await(
                    "the time of the host",
                    () -> error(guest, questions.incrementAndGet()) <= WORST_MILLIS * NANOS_OF_MILLI);
            long end = System.nanoTime() + Settings.CLOCK_TIME.toNanos();
            long worst = 0;
            while (System.nanoTime() < end) {
                worst = Math.max(worst, error(guest, questions.incrementAndGet()));
                Thread.sleep(CLOCK_PAUSE);
            }
            System.out.println("clock: asked " + questions + " times in " + Settings.CLOCK_TIME.toSeconds()
                    + " s; at most " + worst / NANOS_OF_MILLI + " ms wrong");
            assertThat(worst / NANOS_OF_MILLI).isLessThanOrEqualTo(WORST_MILLIS);
            guest.closeStdin();
        });
    }

    @Test
    void theClockFollowsTheHostsUntilAProgramSetsIt() throws Exception {
        onVm(docker -> {
            Container container = docker.start("--cap-add", "SYS_TIME", TOOLS, "sleep", "1000");
            Deadline.await("the time of the host", () -> isTheHosts(docker, container));
            docker.quietly("exec", container.name(), "python3", "-c", tick(11_000));
            Deadline.await(
                    "a clock that runs ahead is set back",
                    () -> logs(container, " ms ahead of the host's, and was stepped"));
            docker.quietly("exec", container.name(), "python3", "-c", tick(9_000));
            Deadline.await(
                    "a clock that falls behind is set forward",
                    () -> logs(container, " ms behind the host's, and was stepped"));
            docker.quietly("exec", container.name(), "python3", "-c", tick(10_000));
            Deadline.await("the time of the host", () -> isTheHosts(docker, container));

            docker.quietly("exec", container.name(), "date", "-s", "2001-02-03 04:05:06");
            Deadline.await(
                    "the program's time counts",
                    () -> logs(container, "a program has set the clock, which from now on does not follow the host's"));
            assertThat(docker.quietly("exec", container.name(), "date", "+%Y-%m-%d"))
                    .isEqualToIgnoringNewLines("2001-02-03");
        });
    }
}
