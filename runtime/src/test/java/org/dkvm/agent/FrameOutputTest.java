// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FrameOutputTest {
    /** A socket that takes so many bytes, then none. */
    private static final class Socket implements WritableByteChannel {
        private final ByteArrayOutputStream taken = new ByteArrayOutputStream();
        private int room;
        private boolean gone;

        @Override
        public int write(ByteBuffer bytes) throws IOException {
            if (gone) {
                throw new IOException("broken pipe");
            }
            int count = Math.min(room, bytes.remaining());
            byte[] copy = new byte[count];
            bytes.get(copy);
            taken.writeBytes(copy);
            room -= count;
            return count;
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void close() {}
    }

    private final Socket socket = new Socket();
    private final FrameOutput output = new FrameOutput(socket);

    @Test
    void frameGoesOutAtOnceWhenTheSocketTakesIt() {
        socket.room = 1000;
        output.send(FrameType.STDOUT, 1, new byte[100]);
        assertThat(output.backlog()).isZero();
        assertThat(socket.taken.size()).isEqualTo(Frame.HEADER + 100);
    }

    @Test
    void everyByteArrivesInOrderThroughANarrowSocket() throws Exception {
        Random random = new Random(1);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        for (int i = 0; i < 2000; i++) {
            byte[] payload = new byte[1 + random.nextInt(400)];
            random.nextBytes(payload);
            boolean stdout = random.nextInt(3) > 0;
            output.send(stdout ? FrameType.STDOUT : FrameType.STDERR, 1, payload);
            (stdout ? out : err).writeBytes(payload);
            if (i % 50 == 0) {
                output.send(FrameType.CREDIT, 1, new byte[] {0, 1, 0, 0, 0});
            }
            socket.room = random.nextInt(300);
            output.flush();
        }
        socket.room = Integer.MAX_VALUE;
        assertThat(output.flush()).isTrue();
        ByteArrayOutputStream gotOut = new ByteArrayOutputStream();
        ByteArrayOutputStream gotErr = new ByteArrayOutputStream();
        FrameReader reader = new FrameReader(Sender.MONITOR, ByteBuffer.allocate(FrameReader.MIN_BUFFER), false);
        var channel = Channels.newChannel(new ByteArrayInputStream(socket.taken.toByteArray()));
        int read = 0;
        while (read >= 0) {
            read = reader.read(channel, Integer.MAX_VALUE, frame -> {
                byte[] payload = new byte[frame.length()];
                frame.payload().get(payload);
                if (frame.type() == FrameType.STDOUT) {
                    gotOut.writeBytes(payload);
                } else if (frame.type() == FrameType.STDERR) {
                    gotErr.writeBytes(payload);
                }
            });
        }
        assertThat(reader.midFrame()).isFalse();
        assertThat(gotOut.toByteArray()).isEqualTo(out.toByteArray());
        assertThat(gotErr.toByteArray()).isEqualTo(err.toByteArray());
    }

    @Test
    void backlogOfSmallPiecesIsHardlyLargerThanTheBytesInIt() {
        for (int i = 0; i < 65_536; i++) {
            output.send(FrameType.STDOUT, 1, new byte[1]);
        }
        assertThat(output.backlog()).isLessThan(65_536 + 100);
    }

    @Test
    void endOfFileIsNotJoinedWithWhatWasBefore() {
        output.send(FrameType.STDOUT, 1, new byte[5]);
        output.send(FrameType.STDOUT, 1, new byte[0]);
        assertThat(output.backlog()).isEqualTo(2 * Frame.HEADER + 5);
    }

    @Test
    void whatIsSentToNobodyIsThrownAway() {
        output.send(FrameType.STDOUT, 1, new byte[5]);
        socket.gone = true;
        assertThat(output.flush()).isTrue();
        assertThat(output.isBroken()).isTrue();
        output.send(FrameType.STDOUT, 1, new byte[5]);
        assertThat(output.backlog()).isZero();
    }
}
