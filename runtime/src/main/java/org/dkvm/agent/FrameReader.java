// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ReadableByteChannel;

/**
 * Cuts a byte stream into frames and checks of each what can be checked without knowing the state: type, direction, size.
 *
 * <p>Readers may share one buffer: what is left of a frame between two calls is kept aside, so that a connection at rest costs nothing.
 */
public final class FrameReader {
    /** The smallest buffer that takes every frame. */
    public static final int MIN_BUFFER = Frame.HEADER + Frame.MAX_PAYLOAD;

    private static final byte[] NOTHING = {};

    private final Sender sender;
    private final ByteBuffer buffer;
    private final boolean shared;
    private final Frame frame;
    private byte[] kept = NOTHING;
    private int start;
    private int end;

    /**
     * A reader of what that side sends.
     *
     * @param buffer at least {@link #MIN_BUFFER} bytes
     * @param shared whether other readers use the buffer, too
     */
    public FrameReader(Sender sender, ByteBuffer buffer, boolean shared) {
        if (buffer.capacity() < MIN_BUFFER) {
            throw new IllegalArgumentException("a buffer of " + buffer.capacity() + " bytes does not take a frame");
        }
        this.sender = sender;
        this.buffer = buffer.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        this.shared = shared;
        frame = new Frame(buffer);
    }

    /**
     * Reads once and hands over every whole frame.
     *
     * @param most bytes to read at most
     * @return the bytes read, -1 at the end of the stream
     */
    public int read(ReadableByteChannel channel, int most, FrameReceiver receiver)
            throws IOException, ProtocolException {
        makeRoom();
        buffer.limit(end + Math.min(buffer.capacity() - end, most)).position(end);
        int count = channel.read(buffer);
        if (count > 0) {
            end += count;
            handOver(receiver);
        }
        if (shared) {
            keep();
        }
        return count;
    }

    /**
     * Reads once, and keeps what came for {@link #resume} or {@link #read}. Only of readers that share their buffer.
     *
     * @param most how many bytes may be kept
     * @return the bytes read, -1 at the end of the stream
     */
    public int readAhead(ReadableByteChannel channel, int most) throws IOException {
        makeRoom();
        buffer.limit(end + Math.max(0, Math.min(buffer.capacity() - end, most - end)))
                .position(end);
        int count = channel.read(buffer);
        end += Math.max(count, 0);
        keep();
        return count;
    }

    /** How many bytes are kept. */
    public int ahead() {
        return kept.length;
    }

    /** Hands over every whole frame that was kept. */
    public void resume(FrameReceiver receiver) throws ProtocolException {
        makeRoom();
        handOver(receiver);
        keep();
    }

    /** Whether a part of a frame waits for the rest. */
    public boolean midFrame() {
        return shared ? kept.length > 0 : end > start;
    }

    private void makeRoom() {
        if (shared) {
            buffer.put(0, kept);
            start = 0;
            end = kept.length;
        } else if (start == end) {
            start = 0;
            end = 0;
        } else if (buffer.capacity() - start < MIN_BUFFER || end == buffer.capacity()) {
            buffer.limit(end).position(start);
            buffer.compact();
            end -= start;
            start = 0;
        }
    }

    private void keep() {
        int length = end - start;
        if (length == 0) {
            kept = NOTHING;
        } else {
            kept = new byte[length];
            buffer.limit(end);
            buffer.get(start, kept);
        }
    }

    private void handOver(FrameReceiver receiver) throws ProtocolException {
        buffer.limit(end);
        while (end - start >= Frame.HEADER) {
            int length = buffer.getInt(start);
            if (length < 0 || length > Frame.MAX_PAYLOAD) {
                throw new ProtocolException(
                        "a frame of " + Integer.toUnsignedString(length) + " bytes, more than " + Frame.MAX_PAYLOAD);
            }
            buffer.position(start);
            FrameType type = FrameType.of(Frame.typeCode(buffer));
            if (!type.sentBy(sender)) {
                throw new ProtocolException("a frame " + type + " from the wrong side");
            }
            if (!type.fits(length)) {
                throw new ProtocolException("a frame " + type + " with " + length + " bytes");
            }
            int next = start + Frame.HEADER + length;
            if (next > end) {
                return;
            }
            frame.set(type, start, next);
            start = next;
            receiver.receive(frame);
        }
    }
}
