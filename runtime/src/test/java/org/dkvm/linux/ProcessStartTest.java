// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
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

    @Test
    void aProcessIsToldFromAnotherWithItsNumber() throws Exception {
        Process process = new ProcessBuilder("sleep", "1000").start();
        String stat = Files.readString(Path.of("/proc/" + process.pid() + "/stat"));
        // The command's name has no blank: proc_pid_stat(5), 22.
        long start = Long.parseLong(List.of(stat.split(" ", -1)).get(21));
        assertThat(ProcessStart.lives(process.pid(), start)).isTrue();
        assertThat(ProcessStart.lives(process.pid(), start + 1)).isFalse();
        process.destroyForcibly().waitFor();
        assertThat(ProcessStart.lives(process.pid(), start)).isFalse();
        assertThat(ProcessStart.lives(0, 0)).isFalse();
    }
}
