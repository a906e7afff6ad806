// SPDX-License-Identifier: Apache-2.0
package org.dkvm.network;

/** An Ethernet address: the low 48 bits. */
public record MacAddress(long bits) {
    private static final int BYTES = 6;
    private static final int TEXT = 17;
    private static final String HEX = "0123456789abcdef";

    public MacAddress {
        if (bits >>> (BYTES * Byte.SIZE) != 0) {
            throw new IllegalArgumentException("MAC address " + Long.toHexString(bits) + " has more than 48 bits");
        }
    }

    /** The address in {@code 02:42:ac:11:00:02}, as the kernel prints it. */
    public static MacAddress parse(String text) {
        long bits = 0;
        boolean valid = text.length() == TEXT;
        for (int i = 0; valid && i < TEXT; i++) {
            char c = text.charAt(i);
            if (i % 3 == 2) {
                valid = c == ':';
            } else {
                int digit = Character.digit(c, 16);
                valid = digit >= 0;
                bits = bits << 4 | digit;
            }
        }
        if (!valid) {
            throw new IllegalArgumentException("MAC address \"" + text + "\" is not valid");
        }
        return new MacAddress(bits);
    }

    /** The six bytes in the order of the wire. */
    public byte[] toBytes() {
        byte[] bytes = new byte[BYTES];
        for (int i = 0; i < BYTES; i++) {
            bytes[i] = (byte) (bits >> ((BYTES - 1 - i) * Byte.SIZE));
        }
        return bytes;
    }

    /** The interface part of the link-local IPv6 address that a kernel makes of this one (RFC 4291, appendix A). */
    byte[] eui64() {
        byte[] mac = toBytes();
        return new byte[] {(byte) (mac[0] ^ 2), mac[1], mac[2], (byte) 0xFF, (byte) 0xFE, mac[3], mac[4], mac[5]};
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(TEXT);
        for (int i = 0; i < BYTES; i++) {
            int value = (int) (bits >> ((BYTES - 1 - i) * Byte.SIZE)) & 0xFF;
            text.append(i == 0 ? "" : ":").append(HEX.charAt(value >> 4)).append(HEX.charAt(value & 0xF));
        }
        return text.toString();
    }
}
