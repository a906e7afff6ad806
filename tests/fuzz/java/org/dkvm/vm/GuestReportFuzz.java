// SPDX-License-Identifier: Apache-2.0
package org.dkvm.vm;

import org.dkvm.core.DkvmException;
import org.dkvm.fuzz.Bounded;

/** What a guest says that it uses: it is refused, or its numbers are bounded and its texts fit for a terminal. */
public final class GuestReportFuzz {
    private static final long MOST = 1L << 56;

    private GuestReportFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        Bounded.run(input, GuestReportFuzz::take);
    }

    private static void take(byte[] input) {
        GuestReport report;
        try {
            report = GuestReport.parse(input);
        } catch (DkvmException e) {
            return;
        }
        check(report.time());
        check(report.busy());
        check(report.memory());
        check(report.used());
        Bounded.check(report.count() >= report.processes().size(), "fewer processes than there are");
        for (GuestReport.GuestProcess process : report.processes()) {
            check(process.busy());
            check(process.memory());
            check(process.user());
            check(process.command());
            check(String.valueOf(process.state()));
        }
    }

    private static void check(long number) {
        Bounded.check(number >= 0 && number <= MOST, "the number " + number);
    }

    private static void check(String text) {
        Bounded.check(
                text.chars().allMatch(c -> c == '\t' || !Character.isISOControl(c)),
                "a text that is not fit for a terminal");
    }
}
