// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * One whole frame where it lies in a buffer; valid until the receiver returns. Forwarding one needs no copy: {@link #restamp} writes
 * another stream number into the header in place.
 */
public final class Frame {
    /** Bytes of a frame's header: length u32, type u8, stream u32. */
    public static final int HEADER = 9;
    /** The largest payload in bytes: 64 KiB and 16. */
    public static final int MAX_PAYLOAD = 65_552;
    /** What a sender of data keeps to, in bytes. */
    public static final int DATA_PAYLOAD = 32 * 1024;
    /** The version of the protocol spoken here. */
    public static final int VERSION = 3;

    private static final int TYPE_OFFSET = 4;
    private static final int STREAM_OFFSET = 5;

    private final ByteBuffer bytes;
    private FrameType type = FrameType.ACK;

    /** A frame to be found in that buffer, again and again. */
    Frame(ByteBuffer buffer) {
        bytes = buffer.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    }

    /** A frame of its own, for frames that do not come from a connection. */
    public static ByteBuffer make(FrameType type, int stream, byte[] payload) {
        ByteBuffer frame = ByteBuffer.allocate(HEADER + payload.length).order(ByteOrder.LITTLE_ENDIAN);
        header(frame, type, stream, payload.length);
        return frame.put(payload).flip();
    }

    /** Puts a header at the buffer's position; the buffer's order is little-endian. */
    static void header(ByteBuffer into, FrameType type, int stream, int payload) {
        into.putInt(payload).put((byte) type.code()).putInt(stream);
    }

    /** The type byte of a frame that starts at the buffer's position. */
    static int typeCode(ByteBuffer frame) {
        return Byte.toUnsignedInt(frame.get(frame.position() + TYPE_OFFSET));
    }

    void set(FrameType found, int start, int end) {
        type = found;
        bytes.limit(end).position(start);
    }

    /** The frame's type. */
    public FrameType type() {
        return type;
    }

    /** The frame's stream. */
    public int stream() {
        return bytes.getInt(bytes.position() + STREAM_OFFSET);
    }

    /** Bytes of payload. */
    public int length() {
        return bytes.remaining() - HEADER;
    }

    /** The payload, little-endian. */
    public ByteBuffer payload() {
        return bytes.slice(bytes.position() + HEADER, length()).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** A byte of the payload, unsigned. */
    int u8(int offset) {
        return Byte.toUnsignedInt(bytes.get(bytes.position() + HEADER + offset));
    }

    /** Four bytes of the payload. */
    int i32(int offset) {
        return bytes.getInt(bytes.position() + HEADER + offset);
    }

    /** Eight bytes of the payload. */
    long i64(int offset) {
        return bytes.getLong(bytes.position() + HEADER + offset);
    }

    /** The whole frame with another stream number, ready to be sent on. */
    public ByteBuffer restamp(int stream) {
        bytes.putInt(bytes.position() + STREAM_OFFSET, stream);
        return bytes.duplicate();
    }
}
