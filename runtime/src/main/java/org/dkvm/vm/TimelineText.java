// SPDX-License-Identifier: Apache-2.0
package org.dkvm.vm;

import java.util.Locale;

/** A start's timeline for a terminal: a line for each step, with a bar. */
public final class TimelineText {
    private static final int BAR_CHARS = 50;
    /** What takes less is left out: the steps that only say that something was reached. */
    private static final double LEAST_MILLIS = 0.5;

    private TimelineText() {}

    /** The lines. */
    public static String of(StartTimeline timeline) {
        StringBuilder text =
                new StringBuilder(String.format(Locale.ROOT, "%8s %8s  %-8s %s%n", "AT", "TOOK", "BY", "STEP"));
        double scale = BAR_CHARS / Math.max(1, timeline.end());
        for (StartTimeline.Span span : timeline.spans()) {
            double took = span.to() - span.from();
            if (took >= LEAST_MILLIS) {
                int from = (int) (span.from() * scale);
                int chars = Math.max(1, (int) Math.round(span.to() * scale) - from);
                text.append(String.format(
                        Locale.ROOT,
                        "%5.0f ms %5.0f ms  %-8s %-26s %s%s%n",
                        span.from(),
                        took,
                        span.lane().name().toLowerCase(Locale.ROOT),
                        span.step(),
                        " ".repeat(from),
                        "█".repeat(chars)));
            }
        }
        String end = timeline.opened() ? "the workload runs" : "the last step that was reached";
        return text.append(String.format(Locale.ROOT, "%5.0f ms           %s%n", timeline.end(), end))
                .toString();
    }
}
