// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ReadableByteChannel;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FrameReaderTest {
    private final List<byte[]> payloads = new ArrayList<>();

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8, 9, 10, 4096, 65_561, 100_000})
    void framesComeWholeHoweverTheyArrive(int piece) throws Exception {
        byte[] sent = frames(piece < 100 ? 12 : 60, 7);
        for (boolean shared : new boolean[] {false, true}) {
            payloads.clear();
            ByteBuffer buffer = ByteBuffer.allocate(FrameReader.MIN_BUFFER + 77);
            FrameReader reader = new FrameReader(Sender.AGENT, buffer, shared);
            ReadableByteChannel channel = Channels.newChannel(new ByteArrayInputStream(sent));
            while (reader.read(channel, piece, this::keep) >= 0) {
                if (shared) {
                    scribble(buffer);
                }
            }
            assertThat(reader.midFrame()).isFalse();
            assertThat(joined()).isEqualTo(sent);
        }
    }

    @Test
    void whatWasReadAheadIsHandedOverLater() throws Exception {
        byte[] sent = frames(12, 7);
        ByteBuffer buffer = ByteBuffer.allocate(FrameReader.MIN_BUFFER);
        FrameReader reader = new FrameReader(Sender.AGENT, buffer, true);
        ReadableByteChannel channel = Channels.newChannel(new ByteArrayInputStream(sent));
        while (reader.readAhead(channel, 1000) > 0) {
            scribble(buffer);
        }
        assertThat(reader.ahead()).isEqualTo(1000);
        assertThat(payloads).isEmpty();
        reader.resume(this::keep);
        scribble(buffer);
        assertThat(payloads).isNotEmpty();
        while (reader.read(channel, 4096, this::keep) >= 0) {
            scribble(buffer);
        }
        assertThat(joined()).isEqualTo(sent);
        assertThat(reader.readAhead(channel, 1000)).isNegative();
    }

    @Test
    void frameOverTheBoundIsRefusedBeforeItIsThere() {
        assertBreach("11 00 01 00 25 01 00 00 00", "more than 65552");
        assertBreach("ff ff ff ff 25 01 00 00 00", "a frame of 4294967295 bytes");
    }

    @Test
    void unknownTypeIsRefused() {
        assertBreach("00 00 00 00 7f 00 00 00 00", "unknown frame type 127");
        assertBreach("00 00 00 00 00 00 00 00 00", "unknown frame type 0");
        assertBreach("00 00 00 00 ff 00 00 00 00", "unknown frame type 255");
    }

    @Test
    void typeFromTheWrongSideIsRefused() {
        assertBreach("00 00 00 00 04 00 00 00 00", "SET_UP from the wrong side");
        assertBreach("01 00 00 00 24 01 00 00 00 41", "STDIN from the wrong side");
    }

    @Test
    void payloadOfTheWrongSizeIsRefused() {
        assertBreach("03 00 00 00 22 01 00 00 00 00 00 00", "OPENED with 3 bytes");
        assertBreach("0c 00 00 00 0b 01 00 00 00", "DNS_QUERY with 12 bytes");
    }

    @Test
    void buffersTooSmallForAFrameAreRefused() {
        assertThatThrownBy(() -> new FrameReader(Sender.AGENT, ByteBuffer.allocate(4096), false))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private void assertBreach(String hex, String message) {
        byte[] bytes = bytes(hex);
        FrameReader reader = new FrameReader(Sender.AGENT, ByteBuffer.allocate(FrameReader.MIN_BUFFER), false);
        assertThatThrownBy(() -> reader.read(Channels.newChannel(new ByteArrayInputStream(bytes)), 999, this::keep))
                .isInstanceOf(ProtocolException.class)
                .hasMessageContaining(message);
    }

    private void keep(Frame frame) {
        ByteBuffer whole = frame.restamp(frame.stream());
        byte[] copy = new byte[whole.remaining()];
        whole.get(copy);
        payloads.add(copy);
    }

    private byte[] joined() {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        payloads.forEach(all::writeBytes);
        return all.toByteArray();
    }

    /** Another reader of the shared buffer. */
    private static void scribble(ByteBuffer buffer) {
        for (int i = 0; i < buffer.capacity(); i++) {
            buffer.put(i, (byte) 0xEE);
        }
    }

    private static byte[] frames(int count, long seed) {
        Random random = new Random(seed);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int i = 0; i < count; i++) {
            byte[] payload = new byte[i % 5 == 0 ? 0 : random.nextInt(i % 7 == 1 ? Frame.MAX_PAYLOAD + 1 : 300)];
            random.nextBytes(payload);
            ByteBuffer frame = Frame.make(FrameType.STDOUT, random.nextInt(), payload);
            byte[] bytes = new byte[frame.remaining()];
            frame.get(bytes);
            out.writeBytes(bytes);
        }
        return out.toByteArray();
    }

    static byte[] bytes(String hex) {
        return HexFormat.ofDelimiter(" ").parseHex(hex);
    }
}
