// SPDX-License-Identifier: Apache-2.0
package org.dkvm.training;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import org.dkvm.monitor.start.Places;

/** What dkvm-init and dkvm-network do for a monitor, played: every program runs until it is killed, every change is made. */
final class FakeHelpers implements AutoCloseable {
    private static final byte[] STARTED = {1, 4, 0, 42, 0, 0, 0};
    private static final byte[] WORDS = {3, 2, 0, 'h', 'i'};
    private static final byte[] KILLED = {4, 4, 0, (byte) 137, 0, 0, 0};
    /** An answer without its number, which comes after the length. */
    private static final int DONE_BYTES = 1;

    private static final int NUMBERED_HEADER = 2 * Short.BYTES;

    private interface Service {
        void serve(SocketChannel client) throws IOException;
    }

    private final ServerSocketChannel starter;
    private final ServerSocketChannel network;

    FakeHelpers(Places places) throws IOException {
        starter = listen(places.starter());
        network = listen(places.network());
        serve(starter, FakeHelpers::start);
        serve(network, FakeHelpers::change);
    }

    private static ServerSocketChannel listen(Path socket) throws IOException {
        return ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(socket));
    }

    private static void serve(ServerSocketChannel listener, Service service) {
        run(() -> {
            while (true) {
                SocketChannel client = listener.accept();
                run(() -> {
                    try (client) {
                        service.serve(client);
                    }
                });
            }
        });
    }

    private interface Work {
        void run() throws IOException;
    }

    private static void run(Work work) {
        Thread thread = new Thread(
                () -> {
                    try {
                        work.run();
                    } catch (IOException e) {
                        // The sandbox has come to its end.
                        Thread.currentThread().interrupt();
                    }
                },
                "helper");
        thread.setDaemon(true);
        thread.start();
    }

    private static void start(SocketChannel client) throws IOException {
        read(client, read(client, Integer.BYTES).getInt());
        write(client, STARTED);
        write(client, WORDS);
        ByteBuffer signal = ByteBuffer.allocate(1);
        while (client.read(signal) >= 0) {
            signal.clear();
        }
        write(client, KILLED);
    }

    private static void change(SocketChannel client) throws IOException {
        done(client, (short) 0);
        while (true) {
            ByteBuffer header = read(client, NUMBERED_HEADER);
            read(client, header.getShort());
            done(client, header.getShort());
        }
    }

    private static void done(SocketChannel client, short number) throws IOException {
        ByteBuffer answer = ByteBuffer.allocate(NUMBERED_HEADER + DONE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        answer.putShort((short) DONE_BYTES).putShort(number).put((byte) 0);
        write(client, answer.array());
    }

    private static ByteBuffer read(SocketChannel from, int size) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            if (from.read(bytes) < 0) {
                throw new IOException("the monitor hung up");
            }
        }
        return bytes.flip();
    }

    private static void write(SocketChannel to, byte[] bytes) throws IOException {
        to.write(ByteBuffer.wrap(bytes));
    }

    @Override
    public void close() throws IOException {
        starter.close();
        network.close();
    }
}
