// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli.vm;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.dkvm.core.MemorySize;
import org.dkvm.linux.NamespaceProcesses;
import org.dkvm.vm.GuestReport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** {@code dkvm top} and {@code dkvm stats} as text. */
class UsageTablesTest {
    private static final long MIB = 1024 * 1024;
    private static final long SECOND = 1_000_000_000;
    private static final String ID = "0123456789abcdef";

    private static GuestReport report(long time, long busy, long count, GuestReport.GuestProcess... processes) {
        return new GuestReport(time, busy, 256 * MIB, 192 * MIB, 2, count, List.of(processes));
    }

    private static VmSample sample(@Nullable GuestReport guest, String word, long at, long cpu) {
        return VmSample.of(
                List.of(
                        new NamespaceProcesses.Use("qemu-system-x86", cpu, 300 * MIB, 90 * MIB),
                        new NamespaceProcesses.Use("virtiofsd", 0, 10 * MIB, 4 * MIB),
                        new NamespaceProcesses.Use("java", 0, 50 * MIB, 30 * MIB)),
                guest,
                word,
                at);
    }

    @Test
    void topListsProcessesByTheirPids() {
        String text = TopCommand.text(report(
                100 * SECOND,
                50 * SECOND,
                4,
                new GuestReport.GuestProcess(12, "www-data", 'S', 70_120_000_000L, 3 * MIB, "nginx: worker process"),
                new GuestReport.GuestProcess(1, "root", 'R', 20_000_000, 800 * 1024, "nginx -g daemon off;")));
        assertThat(text.lines())
                .containsExactly(
                        "guest: up 1 min 40 s, processors: 2, busy 50.0 % since its boot, memory: 64.0 MiB of 256.0 MiB used, processes: 4",
                        "     PID USER         STATE   CPU TIME     MEMORY  COMMAND",
                        "       1 root         R        0:00.02    800 KiB  nginx -g daemon off;",
                        "      12 www-data     S        1:10.12    3.0 MiB  nginx: worker process",
                        "and 2 more");
    }

    @Test
    void statsAreWhatWasUsedBetweenTwoSamples() {
        VmSample before = sample(report(10 * SECOND, 2 * SECOND, 3), "", SECOND, SECOND);
        VmSample now = sample(report(12 * SECOND, 5 * SECOND, 3), "", 3 * SECOND, 2 * SECOND);
        assertThat(StatsCommand.line(ID, "web", MemorySize.ofMib(512), now, before))
                .matches("0123456789ab +web +150.0 % +64.0 MiB / 512.0 MiB +3 +50.0 %"
                        + " +90.0 MiB / 300.0 MiB +34.0 MiB / 60.0 MiB\\R");
    }

    @Test
    void aVmThatDoesNotAnswerIsShownByTheHostsNumbersAndAWord() {
        VmSample before = sample(report(10 * SECOND, 2 * SECOND, 3), "", SECOND, SECOND);
        VmSample now = sample(null, "it is paused", 3 * SECOND, SECOND);
        assertThat(StatsCommand.line(ID, "web", MemorySize.ofMib(512), now, before))
                .matches("0123456789ab +web +-- +-- / 512.0 MiB +-- +0.0 %"
                        + " +90.0 MiB / 300.0 MiB +34.0 MiB / 60.0 MiB  it is paused\\R");
        assertThat(StatsCommand.line(ID, "web", MemorySize.ofMib(512), now, null))
                .containsPattern(" web +-- +-- / 512.0 MiB +-- +-- ");
    }

    @Test
    void aGuestWhoseNumbersGoBackwardsUsesNothing() {
        VmSample before = sample(report(10 * SECOND, 9 * SECOND, 3), "", SECOND, SECOND);
        VmSample now = sample(report(10 * SECOND, 2 * SECOND, 3), "", 2 * SECOND, 0);
        assertThat(now.guestCpu(before)).isEqualTo("0.0 %");
        assertThat(now.hostCpu(before)).isEqualTo("0.0 %");
    }

    @Test
    void amountsHaveUnits() {
        assertThat(Amounts.memory(0)).isEqualTo("0 KiB");
        assertThat(Amounts.memory(1536 * MIB)).isEqualTo("1.50 GiB");
        assertThat(Amounts.time(3_723_450_000_000L)).isEqualTo("62:03.45");
    }
}
