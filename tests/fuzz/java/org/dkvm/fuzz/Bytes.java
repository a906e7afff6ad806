// SPDX-License-Identifier: Apache-2.0
package org.dkvm.fuzz;

import java.util.Arrays;

/** Reads an input piece by piece; after its end come zeros and empty pieces. */
public final class Bytes {
    private final byte[] bytes;
    private int at;

    public Bytes(byte[] bytes) {
        this.bytes = bytes;
    }

    public boolean hasMore() {
        return at < bytes.length;
    }

    public int u8() {
        return hasMore() ? Byte.toUnsignedInt(bytes[at++]) : 0;
    }

    public int u16() {
        return u8() | u8() << 8;
    }

    /** So many bytes, or as many as there are. */
    public byte[] take(int most) {
        byte[] piece = Arrays.copyOfRange(bytes, at, Math.min(bytes.length, at + most));
        at += piece.length;
        return piece;
    }

    public byte[] rest() {
        return take(bytes.length);
    }
}
