// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

/**
 * How much a kernel's package may hold: more is a mistake or an attack.
 *
 * @param entries files, directories and links
 * @param fileBytes the largest file
 * @param totalBytes all of it decompressed, wanted or not
 */
record Bounds(int entries, long fileBytes, long totalBytes) {
    private static final long MIB = 1024L * 1024;

    /** A distribution's largest kernel has 10,000 files and 700 MiB. */
    static final Bounds USUAL = new Bounds(200_000, 512 * MIB, 4096 * MIB);

    Bounds {
        if (entries < 1 || fileBytes < 1 || totalBytes < fileBytes) {
            throw new IllegalArgumentException("bounds " + entries + ", " + fileBytes + ", " + totalBytes);
        }
    }
}
