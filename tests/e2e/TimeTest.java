// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.TOOLS;

import java.math.BigDecimal;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/** The time of day in a VM. Only under dkvm: under runc these programs would set the clock of the host. */
@EndToEnd
class TimeTest {
    private static final BigDecimal NANOS = BigDecimal.valueOf(1_000_000_000L);

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
