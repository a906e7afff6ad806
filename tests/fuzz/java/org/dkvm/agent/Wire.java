// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.Arrays;
import org.dkvm.fuzz.Bounded;
import org.dkvm.fuzz.Bytes;

/** The far end of a connection: keeps what is sent to it, and finds frames in it. */
final class Wire {
    private final ByteArrayOutputStream sent = new ByteArrayOutputStream();
    private final FrameOutput output;

    /** The other end of a connection; one that is deaf takes no byte. */
    Wire(boolean deaf) {
        output = new FrameOutput(new WritableByteChannel() {
            @Override
            public int write(ByteBuffer bytes) {
                int count = deaf ? 0 : bytes.remaining();
                while (!deaf && bytes.hasRemaining()) {
                    sent.write(bytes.get());
                }
                return count;
            }

            @Override
            public boolean isOpen() {
                return true;
            }

            @Override
            public void close() {}
        });
    }

    FrameOutput output() {
        return output;
    }

    /** A short name for all that was sent. */
    int sent() {
        return Arrays.hashCode(sent.toByteArray());
    }

    /** Whatever the other sides do, what arrives here is whole frames of the monitor's. */
    void checkFrames() throws IOException {
        try {
            byte[] bytes = sent.toByteArray();
            Parsed parsed = new Parsed(bytes, Sender.MONITOR);
            parsed.read(Math.max(1, bytes.length), frame -> {});
            Bounded.check(!parsed.midFrame(), "half a frame was sent");
        } catch (ProtocolException e) {
            throw new AssertionError("the monitor sent " + e.text(), e);
        }
    }

    /** A list of frames as their bytes: type, stream, length u16, payload; a payload that is cut short is as long as it is. */
    static byte[] fromList(Bytes in) {
        ByteArrayOutputStream frames = new ByteArrayOutputStream();
        while (in.hasMore()) {
            int type = in.u8();
            int stream = in.u8();
            byte[] payload = in.take(in.u16());
            int length = payload.length;
            frames.writeBytes(
                    new byte[] {(byte) length, (byte) (length >> 8), 0, 0, (byte) type, (byte) stream, 0, 0, 0});
            frames.writeBytes(payload);
        }
        return frames.toByteArray();
    }

    /** Has a client send a frame. */
    static void send(Client client, SessionRouter router, FrameType type, byte[] payload) throws Exception {
        byte[] bytes = Frame.make(type, Replies.CLIENT_STREAM, payload).array();
        new Parsed(bytes, Sender.CLIENT).read(bytes.length, frame -> router.fromClient(client, frame));
    }

    /** Bytes that a reader cuts into frames; each is checked to be the bytes it was made of. */
    static final class Parsed {
        private final byte[] bytes;
        private final FrameReader reader;
        private int given;
        private int framed;

        Parsed(byte[] bytes, Sender sender) {
            this.bytes = bytes;
            reader = new FrameReader(sender, ByteBuffer.allocate(FrameReader.MIN_BUFFER), true);
        }

        /** Reads all, in pieces of so many bytes. */
        void read(int piece, FrameReceiver receiver) throws IOException, ProtocolException {
            ReadableByteChannel channel = new ReadableByteChannel() {
                @Override
                public int read(ByteBuffer into) {
                    int count = Math.min(into.remaining(), bytes.length - given);
                    into.put(bytes, given, count);
                    given += count;
                    return count == 0 ? -1 : count;
                }

                @Override
                public boolean isOpen() {
                    return true;
                }

                @Override
                public void close() {}
            };
            while (reader.read(channel, piece, frame -> pass(frame, receiver)) >= 0) {
                Bounded.check(reader.midFrame() == (framed < given), "a reader that does not know what it has");
            }
        }

        private void pass(Frame frame, FrameReceiver receiver) throws ProtocolException {
            byte[] payload = new byte[frame.length()];
            frame.payload().get(payload);
            byte[] made = Frame.make(frame.type(), frame.stream(), payload).array();
            int end = framed + made.length;
            Bounded.check(
                    end <= given && Arrays.equals(made, 0, made.length, bytes, framed, end),
                    "a frame " + frame.type() + " that is not what was sent");
            framed = end;
            receiver.receive(frame);
        }

        boolean midFrame() {
            return reader.midFrame();
        }
    }
}
