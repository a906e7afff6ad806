// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Writes the protocol's records: tag u16, length u32, value; all little-endian. */
final class RecordWriter {
    private static final int HEADER = 6;
    private static final int FIRST_SIZE = 1024;

    private ByteBuffer bytes = ByteBuffer.allocate(FIRST_SIZE).order(ByteOrder.LITTLE_ENDIAN);
    private int record;

    /** Starts a record; what follows is its value. */
    RecordWriter begin(int tag) {
        reserve(HEADER);
        record = bytes.position();
        bytes.putShort((short) tag).putInt(0);
        return this;
    }

    /** Ends the record that was begun. */
    void end() {
        bytes.putInt(record + Short.BYTES, bytes.position() - record - HEADER);
    }

    RecordWriter u8(int value) {
        reserve(1);
        bytes.put((byte) value);
        return this;
    }

    RecordWriter u16(int value) {
        reserve(Short.BYTES);
        bytes.putShort((short) value);
        return this;
    }

    RecordWriter u32(long value) {
        reserve(Integer.BYTES);
        bytes.putInt((int) value);
        return this;
    }

    RecordWriter u64(long value) {
        reserve(Long.BYTES);
        bytes.putLong(value);
        return this;
    }

    RecordWriter raw(byte[] value) {
        reserve(value.length);
        bytes.put(value);
        return this;
    }

    /** The text's UTF-8 bytes as they are: the record's length ends them. */
    RecordWriter text(String value) {
        return raw(value.getBytes(StandardCharsets.UTF_8));
    }

    /** The protocol's {@code str}: u32 length, bytes. */
    RecordWriter str(String value) {
        byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
        return u32(utf8.length).raw(utf8);
    }

    /** The address's bytes in a field of 16, the rest zero. */
    RecordWriter address(byte[] value) {
        return raw(Arrays.copyOf(value, 16));
    }

    byte[] toBytes() {
        return Arrays.copyOf(bytes.array(), bytes.position());
    }

    private void reserve(int more) {
        if (bytes.remaining() < more) {
            byte[] larger = Arrays.copyOf(bytes.array(), Math.max(bytes.capacity() * 2, bytes.position() + more));
            bytes = ByteBuffer.wrap(larger).order(ByteOrder.LITTLE_ENDIAN).position(bytes.position());
        }
    }
}
