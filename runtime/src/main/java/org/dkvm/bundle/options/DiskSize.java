// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.options;

import java.util.OptionalLong;
import org.dkvm.core.machine.Disk;

/** Sizes as truncate(1) takes them, but for relative ones: {@code 5G}, {@code 5GiB}, {@code 5GB} (powers of 1000), plain bytes. */
final class DiskSize {
    private static final String UNITS = "KMGTPE";
    private static final int MAX_DIGITS = 18;

    private DiskSize() {}

    /** The bytes, rounded up to whole blocks; empty for what is no size or too large a one. */
    static OptionalLong parse(String text) {
        int digits = 0;
        while (digits < text.length() && text.charAt(digits) >= '0' && text.charAt(digits) <= '9') {
            digits++;
        }
        long unit = unit(text.substring(digits));
        if (digits == 0 || digits > MAX_DIGITS || unit == 0) {
            return OptionalLong.empty();
        }
        long count = Long.parseLong(text.substring(0, digits));
        if (count > (Long.MAX_VALUE - Disk.BLOCK_BYTES) / unit) {
            return OptionalLong.empty();
        }
        return OptionalLong.of((count * unit + Disk.BLOCK_BYTES - 1) / Disk.BLOCK_BYTES * Disk.BLOCK_BYTES);
    }

    /** The bytes of a unit; 0 for what is none. */
    private static long unit(String name) {
        if (name.isEmpty()) {
            return 1;
        }
        // As truncate(1): small letters where no larger unit is meant by them.
        String letter = "kmgt".indexOf(name.charAt(0)) < 0
                ? name.substring(0, 1)
                : String.valueOf((char) (name.charAt(0) - 'a' + 'A'));
        int power = UNITS.indexOf(letter) + 1;
        return power == 0
                ? 0
                : switch (name.substring(1)) {
                    case "", "iB" -> power(1024, power);
                    case "B" -> power(1000, power);
                    default -> 0;
                };
    }

    private static long power(long base, int exponent) {
        long value = 1;
        for (int i = 0; i < exponent; i++) {
            value *= base;
        }
        return value;
    }
}
