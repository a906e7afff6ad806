// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli.vm;

import java.time.Duration;
import java.util.Locale;

/** Amounts as tables show them. */
final class Amounts {
    private static final double KIB = 1024;
    private static final double HUNDRED = 100;
    private static final long NANOS_PER_CENTI = 10_000_000;
    private static final int CENTIS = 100;
    private static final int MINUTE = 60;

    private Amounts() {}

    /** {@code 812 KiB}, {@code 45.2 MiB}, {@code 1.50 GiB}. */
    static String memory(long bytes) {
        double kib = bytes / KIB;
        if (kib < KIB) {
            return String.format(Locale.ROOT, "%.0f KiB", kib);
        }
        return kib < KIB * KIB
                ? String.format(Locale.ROOT, "%.1f MiB", kib / KIB)
                : String.format(Locale.ROOT, "%.2f GiB", kib / KIB / KIB);
    }

    /** Processor time of an interval: 100 % is one processor. */
    static String percent(long busyNanos, long nanos) {
        return String.format(Locale.ROOT, "%.1f %%", nanos <= 0 ? 0 : HUNDRED * Math.max(0, busyNanos) / nanos);
    }

    /** {@code 1:02.50}, as ps(1) and top(1) show processor time: minutes, seconds. */
    static String time(long nanos) {
        long centis = nanos / NANOS_PER_CENTI;
        return String.format(
                Locale.ROOT, "%d:%02d.%02d", centis / CENTIS / MINUTE, centis / CENTIS % MINUTE, centis % CENTIS);
    }

    /** {@code 3 d 4 h}, {@code 12 s}. */
    static String age(Duration age) {
        if (age.toDays() > 0) {
            return age.toDays() + " d " + age.toHoursPart() + " h";
        }
        if (age.toHours() > 0) {
            return age.toHours() + " h " + age.toMinutesPart() + " min";
        }
        return age.toMinutes() > 0 ? age.toMinutes() + " min " + age.toSecondsPart() + " s" : age.toSeconds() + " s";
    }
}
