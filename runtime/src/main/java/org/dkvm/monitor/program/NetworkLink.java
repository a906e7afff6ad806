// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.program;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import org.dkvm.core.DkvmException;
import org.dkvm.network.NetworkRequest;
import org.jspecify.annotations.Nullable;

/** The connection to dkvm-network. Safe for several threads; one asks at a time. */
final class NetworkLink {
    private static final Duration DEADLINE = Duration.ofSeconds(20);
    private static final String PROGRAM = "dkvm-network";

    private final Path socket;
    private @Nullable SocketChannel channel;
    private @Nullable Selector selector;

    NetworkLink(Path socket) {
        this.socket = socket;
    }

    /** From here on changes of the network are told. */
    synchronized void open() throws DkvmException {
        if (channel != null) {
            return;
        }
        try {
            SocketChannel opened = SocketChannel.open(UnixDomainSocketAddress.of(socket));
            opened.configureBlocking(false);
            Selector waiting = Selector.open();
            opened.register(waiting, SelectionKey.OP_READ);
            channel = opened;
            selector = waiting;
            answer(opened, waiting);
        } catch (IOException e) {
            throw lost(e.getMessage(), e);
        }
    }

    /** Has a request carried out. */
    synchronized void ask(NetworkRequest request) throws DkvmException {
        open();
        SocketChannel opened = channel;
        Selector waiting = selector;
        if (opened == null || waiting == null) {
            throw lost("it is not there", null);
        }
        try {
            // Shorter than what a socket takes at once.
            opened.write(ByteBuffer.wrap(request.toBytes()));
            answer(opened, waiting);
        } catch (IOException e) {
            throw lost(e.getMessage(), e);
        }
    }

    private void answer(SocketChannel from, Selector waiting) throws IOException, DkvmException {
        int length = Short.toUnsignedInt(read(from, waiting, Short.BYTES).getShort());
        ByteBuffer answer = read(from, waiting, length);
        boolean failed = answer.get() != 0;
        if (failed) {
            throw new DkvmException(StandardCharsets.UTF_8.decode(answer).toString(), "");
        }
    }

    private static ByteBuffer read(SocketChannel from, Selector waiting, int size) throws IOException, DkvmException {
        ByteBuffer bytes = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        long deadline = System.nanoTime() + DEADLINE.toNanos();
        while (bytes.hasRemaining()) {
            int count = from.read(bytes);
            if (count < 0) {
                throw new IOException("it has ended");
            }
            if (count == 0) {
                long left = Duration.ofNanos(deadline - System.nanoTime()).toMillis();
                if (left <= 0) {
                    throw lost("it did not answer within " + DEADLINE.toSeconds() + " s", null);
                }
                waiting.select(left);
                waiting.selectedKeys().clear();
            }
        }
        return bytes.flip();
    }

    private static DkvmException lost(@Nullable String reason, @Nullable Exception cause) {
        String text = "the network can not be changed: " + PROGRAM + ": " + reason;
        String advice = "the monitor's log may say more: \"dkvm logs\"";
        return cause == null ? new DkvmException(text, advice) : new DkvmException(text, advice, cause);
    }
}
