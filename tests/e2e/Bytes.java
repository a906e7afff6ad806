// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;

/** What a program wrote, whatever it was: kept as bytes, compared as bytes. */
final class Bytes {
    private final byte[] value;

    private Bytes(byte[] value) {
        this.value = value;
    }

    static Bytes of(byte[] value) {
        return new Bytes(value.clone());
    }

    static Bytes of(String text) {
        return new Bytes(text.getBytes(StandardCharsets.UTF_8));
    }

    int size() {
        return value.length;
    }

    byte[] toArray() {
        return value.clone();
    }

    /** As text, one character per byte: nothing is lost, and what is not ASCII looks odd. */
    String latin1() {
        return new String(value, StandardCharsets.ISO_8859_1);
    }

    String utf8() {
        return new String(value, StandardCharsets.UTF_8);
    }

    /** Every occurrence of one text replaced by another. */
    Bytes replace(String from, String to) {
        String text = latin1();
        return text.contains(from) ? new Bytes(text.replace(from, to).getBytes(StandardCharsets.ISO_8859_1)) : this;
    }

    String sha256() {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(value));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** Where the two first differ, in bytes from the start; -1 where they are equal. */
    int mismatch(Bytes other) {
        return Arrays.mismatch(value, other.value);
    }

    /** The bytes from {@code from} to {@code to}, printable: as text, with escapes for what would disturb a terminal. */
    String excerpt(int from, int to) {
        StringBuilder text = new StringBuilder();
        for (int i = Math.max(0, from); i < Math.min(to, value.length); i++) {
            char c = (char) (value[i] & 0xff);
            switch (c) {
                case '\n' -> text.append("\\n");
                case '\r' -> text.append("\\r");
                case '\t' -> text.append("\\t");
                case '\\' -> text.append("\\\\");
                default -> text.append(c >= 0x20 && c < 0x7f ? String.valueOf(c) : String.format("\\x%02x", (int) c));
            }
        }
        return (from > 0 ? "…" : "") + "\"" + text + "\"" + (to < value.length ? "…" : "");
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Bytes that && Arrays.equals(value, that.value);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(value);
    }

    /** Readable in a report: the text where it is short, otherwise its size and both ends. */
    @Override
    public String toString() {
        return value.length <= 2000
                ? excerpt(0, value.length)
                : value.length + " bytes, " + excerpt(0, 600) + " " + excerpt(value.length - 600, value.length);
    }
}
