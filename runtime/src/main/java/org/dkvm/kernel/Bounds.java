// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.time.Duration;

/**
 * How much a kernel may have and cost: more is a mistake or an attack.
 *
 * @param entries files, directories and links
 * @param fileBytes the largest file, decompressed
 * @param totalBytes all of it decompressed, wanted or not
 * @param time for all of it
 */
record Bounds(int entries, long fileBytes, long totalBytes, Duration time) {
    private static final long MIB = 1024L * 1024;

    /** A package's. A distribution's largest kernel has 10,000 files and 700 MiB, and is copied once. */
    static final Bounds USUAL = new Bounds(200_000, 512 * MIB, 4096 * MIB, Duration.ofMinutes(8));

    /** An image's, of which a kernel and few modules are taken: a distribution's have 5,000 files, 15 MiB of kernel and 20 MiB of modules. */
    static final Bounds IMAGE = new Bounds(20_000, 64 * MIB, 192 * MIB, Duration.ofSeconds(80));

    Bounds {
        if (entries < 1 || fileBytes < 1 || totalBytes < fileBytes || !time.isPositive()) {
            throw new IllegalArgumentException(
                    "bounds " + entries + ", " + fileBytes + ", " + totalBytes + ", " + time);
        }
    }
}
