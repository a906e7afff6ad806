// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import org.dkvm.agent.Frame;
import org.dkvm.agent.FrameReader;
import org.dkvm.agent.FrameType;
import org.dkvm.agent.ProtocolException;
import org.dkvm.agent.Sender;
import org.dkvm.monitor.loop.Sockets;

/** The other end of one of the monitor's connections, in a test's hands; blocks. */
public final class Peer implements AutoCloseable {
    /** A frame that has come. */
    public static final class Got {
        private final FrameType type;
        private final int stream;
        private final byte[] payload;

        Got(Frame frame) {
            type = frame.type();
            stream = frame.stream();
            payload = new byte[frame.length()];
            frame.payload().get(payload);
        }

        public FrameType type() {
            return type;
        }

        public int stream() {
            return stream;
        }

        public byte[] payload() {
            return payload.clone();
        }

        public int length() {
            return payload.length;
        }

        public int u8(int offset) {
            return payload[offset] & 0xFF;
        }

        public int u32(int offset) {
            return ByteBuffer.wrap(payload)
                    .order(java.nio.ByteOrder.LITTLE_ENDIAN)
                    .getInt(offset);
        }

        public String text() {
            return new String(payload, StandardCharsets.UTF_8);
        }
    }

    private final SocketChannel channel;
    private final FrameReader reader =
            new FrameReader(Sender.MONITOR, ByteBuffer.allocate(FrameReader.MIN_BUFFER), false);
    private final Deque<Got> got = new ArrayDeque<>();

    Peer(Path socket) {
        channel = connect(socket);
    }

    /** The monitor may not be there yet. */
    private static SocketChannel connect(Path socket) {
        while (true) {
            try {
                return SocketChannel.open(UnixDomainSocketAddress.of(socket));
            } catch (SocketException e) {
                Thread.onSpinWait();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    static Peer mainClient(Path socket) {
        Peer peer = new Peer(socket);
        peer.say(FrameType.ATTACH, 1, 3, 0, 2, 0, 24, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0);
        return peer;
    }

    static Peer execClient(Path socket) {
        Peer peer = new Peer(socket);
        peer.say(FrameType.ATTACH, 1, 3, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0);
        peer.say(FrameType.OPEN, 1, 1, 1, 0, 1, 0, 0, 0, 'a');
        return peer;
    }

    /** Who wants to know what the guest uses. */
    static Peer usageClient(Path socket) {
        Peer peer = new Peer(socket);
        peer.say(FrameType.ATTACH, 1, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0);
        return peer;
    }

    public void say(FrameType type, int stream, int... payload) {
        byte[] bytes = new byte[payload.length];
        for (int i = 0; i < payload.length; i++) {
            bytes[i] = (byte) payload[i];
        }
        sayBytes(type, stream, bytes);
    }

    public void sayBytes(FrameType type, int stream, byte[] payload) {
        raw(Frame.make(type, stream, payload));
    }

    void raw(ByteBuffer bytes) {
        try {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void credit(int stream, int channelNumber, int bytes) {
        say(FrameType.CREDIT, stream, channelNumber, bytes, bytes >> 8, bytes >> 16, bytes >> 24);
    }

    /** The next frame; fails at the end of the connection. */
    Got next() {
        while (got.isEmpty()) {
            if (!read()) {
                throw new AssertionError("the monitor hung up");
            }
        }
        return got.remove();
    }

    /** The next frame, which is of that type. */
    public Got expect(FrameType type) {
        Got frame = next();
        if (frame.type() != type) {
            throw new AssertionError("expected " + type + ", got " + frame.type() + " " + frame.text());
        }
        return frame;
    }

    /** The next frame of that type; others are passed over. */
    public Got skipTo(FrameType type) {
        Got frame = next();
        while (frame.type() != type) {
            frame = next();
        }
        return frame;
    }

    /** Reads to the end of the connection. */
    public String lastWords() {
        ByteArrayOutputStream notices = new ByteArrayOutputStream();
        String end = "nothing";
        try {
            do {
                for (Got frame = got.poll(); frame != null; frame = got.poll()) {
                    if (frame.type() == FrameType.NOTICE) {
                        notices.writeBytes(frame.payload());
                    } else if (frame.type() == FrameType.EXIT) {
                        end = "EXIT " + frame.u8(0);
                    } else if (frame.type() == FrameType.REFUSED) {
                        end = "REFUSED " + frame.u8(0) + " " + frame.text().substring(1);
                    }
                }
            } while (read());
        } catch (UncheckedIOException e) {
            // A connection that was reset has said all that came.
            end = end + "";
        }
        return notices.toString(StandardCharsets.UTF_8) + end;
    }

    private boolean read() {
        try {
            return reader.read(channel, Integer.MAX_VALUE, frame -> got.add(new Got(frame))) >= 0;
        } catch (ProtocolException e) {
            throw new AssertionError(e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        Sockets.close(channel);
    }
}
