// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The first bytes of programs for other machines, for tests. */
public final class ElfFile {
    public static final int X86_64 = 62;
    public static final int AARCH64 = 183;

    private ElfFile() {}

    /** A 64-bit little-endian program. */
    public static byte[] of(int machine) {
        return of(machine, 2, 1);
    }

    static byte[] of(int machine, int wide, int data) {
        ByteBuffer bytes = ByteBuffer.allocate(64).order(data == 2 ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
        bytes.put(new byte[] {0x7f, 'E', 'L', 'F', (byte) wide, (byte) data, 1});
        return bytes.putShort(16, (short) 2).putShort(18, (short) machine).array();
    }
}
