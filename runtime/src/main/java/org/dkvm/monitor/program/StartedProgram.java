// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.program;

import java.io.IOException;
import java.io.InputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;

/** A program that dkvm-init has started, at the other end of a connection to it. */
final class StartedProgram implements RunningProgram {
    private static final int STARTED = 1;
    private static final int FAILED = 2;
    private static final int WORDS = 3;
    private static final int ENDED = 4;
    private static final int HEADER = 3;
    /** Of a program whose end nobody tells any more. */
    private static final int LOST = 255;

    private final SocketChannel channel;
    private final CountDownLatch end = new CountDownLatch(1);
    private final InputStream words = new Words();
    private final int pid;
    private volatile int code = LOST;

    private StartedProgram(SocketChannel channel, int pid) {
        this.channel = channel;
        this.pid = pid;
    }

    /** Has dkvm-init start a program; when it can not, the message says why. */
    static StartedProgram start(Path starter, ProgramStart start) throws IOException {
        SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(starter));
        try {
            ByteBuffer request = ByteBuffer.wrap(start.toBytes());
            while (request.hasRemaining()) {
                channel.write(request);
            }
            ByteBuffer answer = read(channel, HEADER);
            int kind = answer.get();
            ByteBuffer payload = read(channel, Short.toUnsignedInt(answer.getShort()));
            if (kind == STARTED) {
                return new StartedProgram(channel, payload.getInt());
            }
            throw new IOException(
                    kind == FAILED ? StandardCharsets.UTF_8.decode(payload).toString() : "answer " + kind);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    @Override
    public long pid() {
        return pid;
    }

    @Override
    public InputStream words() {
        return words;
    }

    @Override
    public void signal(int number) {
        try {
            channel.write(ByteBuffer.wrap(new byte[] {(byte) number}));
        } catch (IOException e) {
            // It has ended.
            end.countDown();
        }
    }

    @Override
    public void kill() {
        try {
            channel.shutdownOutput();
        } catch (IOException e) {
            // It has ended.
            end.countDown();
        }
    }

    @Override
    public int waitFor() throws InterruptedException {
        end.await();
        return code;
    }

    private static ByteBuffer read(SocketChannel channel, int size) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            if (channel.read(bytes) < 0) {
                throw new IOException("dkvm-init has hung up");
            }
        }
        return bytes.flip();
    }

    /** What it writes, out of the answers that bring it. */
    private final class Words extends InputStream {
        private int left;

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            if (length == 0) {
                return 0;
            }
            if (left == 0 && !next()) {
                return -1;
            }
            int count = channel.read(ByteBuffer.wrap(bytes, offset, Math.min(length, left)));
            if (count < 0) {
                end.countDown();
                return -1;
            }
            left -= count;
            return count;
        }

        /** Comes to the next words; false when it has ended. */
        private boolean next() throws IOException {
            if (end.getCount() == 0) {
                return false;
            }
            try {
                ByteBuffer header = StartedProgram.read(channel, HEADER);
                int kind = header.get();
                int length = Short.toUnsignedInt(header.getShort());
                if (kind == WORDS) {
                    left = length;
                    return true;
                }
                if (kind == ENDED) {
                    code = StartedProgram.read(channel, length).getInt();
                }
            } catch (IOException e) {
                end.countDown();
                throw e;
            }
            end.countDown();
            channel.close();
            return false;
        }
    }
}
