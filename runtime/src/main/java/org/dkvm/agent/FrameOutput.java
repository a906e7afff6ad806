// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;

/**
 * The sending half of a connection. A frame goes out at once when nothing waits; what the socket does not take is kept, in order, until
 * {@link #flush}. Small pieces of output that wait are joined, so that a backlog is never much larger than the credit behind it.
 */
public final class FrameOutput {
    private static final byte[] NOTHING = {};
    private static final int NO_FRAME = -1;
    private static final int FIRST_BACKLOG = 4096;
    /** The largest write: the JDK copies heap bytes through a buffer of this size, and keeps it. */
    private static final int MAX_WRITE = 64 * 1024;

    private final WritableByteChannel channel;
    private byte[] backlog = NOTHING;
    private int start;
    private int end;
    /** Where the last waiting frame starts, when it may still be extended. */
    private int last = NO_FRAME;

    private boolean broken;

    /** The sending half of that non-blocking channel. */
    public FrameOutput(WritableByteChannel channel) {
        this.channel = channel;
    }

    /** Sends a frame made here. */
    public void send(FrameType type, int stream, byte[] payload) {
        send(Frame.make(type, stream, payload));
    }

    /** Sends a whole frame: all that the buffer has remaining. */
    public void send(ByteBuffer frame) {
        if (broken) {
            return;
        }
        int before = frame.position();
        if (backlog() == 0) {
            write(frame);
        }
        if (frame.hasRemaining() && !broken) {
            queue(frame, frame.position() == before);
        }
    }

    /** Writes what waits; true when nothing is left. */
    public boolean flush() {
        while (start < end && !broken) {
            ByteBuffer piece = ByteBuffer.wrap(backlog, start, Math.min(end - start, MAX_WRITE));
            write(piece);
            if (piece.position() == start) {
                break;
            }
            start = piece.position();
        }
        if (start > last) {
            last = NO_FRAME;
        }
        if (start == end || broken) {
            backlog = NOTHING;
            start = 0;
            end = 0;
            last = NO_FRAME;
        }
        return start == end;
    }

    /** Bytes that wait for the other side to read. */
    public int backlog() {
        return end - start;
    }

    /** Whether the other side is gone; what is sent then is thrown away. */
    public boolean isBroken() {
        return broken;
    }

    private void write(ByteBuffer bytes) {
        try {
            channel.write(bytes);
        } catch (IOException e) {
            broken = true;
        }
    }

    /** Keeps the rest of a frame; {@code whole} when no byte of it has been written. */
    private void queue(ByteBuffer rest, boolean whole) {
        if (whole && extendLast(rest)) {
            return;
        }
        int length = rest.remaining();
        reserve(length);
        last = whole ? end : NO_FRAME;
        rest.get(backlog, end, length);
        end += length;
    }

    private boolean extendLast(ByteBuffer frame) {
        int code = Frame.typeCode(frame);
        if (last == NO_FRAME || (code != FrameType.STDOUT.code() && code != FrameType.STDERR.code())) {
            return false;
        }
        ByteBuffer tail =
                ByteBuffer.wrap(backlog).order(ByteOrder.LITTLE_ENDIAN).position(last);
        int waiting = tail.getInt(last);
        int more = frame.remaining() - Frame.HEADER;
        boolean fits = waiting > 0 && more > 0 && waiting + more <= Frame.DATA_PAYLOAD;
        if (!fits || Frame.typeCode(tail) != code) {
            return false;
        }
        reserve(more);
        frame.position(frame.position() + Frame.HEADER).get(backlog, end, more);
        ByteBuffer.wrap(backlog).order(ByteOrder.LITTLE_ENDIAN).putInt(last, waiting + more);
        end += more;
        return true;
    }

    private void reserve(int more) {
        if (backlog.length - end >= more) {
            return;
        }
        int used = end - start;
        byte[] target = backlog.length - used >= more
                ? backlog
                : new byte[Math.max(FIRST_BACKLOG, Math.max(used + more, backlog.length * 2))];
        System.arraycopy(backlog, start, target, 0, used);
        last = last == NO_FRAME ? NO_FRAME : last - start;
        backlog = target;
        start = 0;
        end = used;
    }
}
