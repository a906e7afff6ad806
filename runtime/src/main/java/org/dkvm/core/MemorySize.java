// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core;

/** An amount of memory in bytes, never negative. */
public record MemorySize(long bytes) implements Comparable<MemorySize> {
    private static final long MIB = 1024L * 1024;

    public MemorySize {
        if (bytes < 0) {
            throw new IllegalArgumentException("memory size " + bytes + " is negative");
        }
    }

    /** A size in MiB. */
    public static MemorySize ofMib(long mib) {
        return new MemorySize(Math.multiplyExact(mib, MIB));
    }

    /** This size in whole MiB, rounded down. */
    public long mib() {
        return bytes / MIB;
    }

    /** The sum. */
    public MemorySize plus(MemorySize other) {
        return new MemorySize(Math.addExact(bytes, other.bytes));
    }

    @Override
    public int compareTo(MemorySize other) {
        return Long.compare(bytes, other.bytes);
    }

    @Override
    public String toString() {
        return bytes % MIB == 0 ? mib() + " MiB" : bytes + " bytes";
    }
}
