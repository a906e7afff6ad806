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
import java.util.Optional;
import org.dkvm.core.DkvmException;
import org.dkvm.network.NetworkRequest;
import org.jspecify.annotations.Nullable;

/**
 * The connection to dkvm-network. Safe for several threads; one asks at a time. Requests and answers have numbers: an answer that comes when nobody waits for it any more is
 * not taken for another's.
 */
final class NetworkLink {
    private static final Duration DEADLINE = Duration.ofSeconds(20);
    /** The deadline counts in steps: while a container is paused nobody waits, though the clock goes on. */
    private static final int STEPS = 40;

    private static final String PROGRAM = "dkvm-network";
    private static final int HEADER_BYTES = 2 * Short.BYTES;
    /** As the program's ANSWER_MOST. */
    private static final int MAX_BYTES = 512;

    private final Path socket;
    private final Duration deadline;
    /** What has come of an answer, perhaps not all of it. */
    private final ByteBuffer received = ByteBuffer.allocate(MAX_BYTES).order(ByteOrder.LITTLE_ENDIAN);

    private @Nullable SocketChannel channel;
    private @Nullable Selector selector;
    private int number;

    NetworkLink(Path socket) {
        this(socket, DEADLINE);
    }

    NetworkLink(Path socket, Duration deadline) {
        this.socket = socket;
        this.deadline = deadline;
    }

    /** No answer within the deadline. */
    private static final class LateException extends Exception {
        private static final long serialVersionUID = 1;
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
        } catch (LateException e) {
            throw late(e);
        }
    }

    /** Has a request carried out. One that was not answered in time may be carried out later, and is undone then. */
    synchronized void ask(NetworkRequest request) throws DkvmException {
        open();
        SocketChannel opened = channel;
        Selector waiting = selector;
        if (opened == null || waiting == null) {
            throw lost("it is not there", null);
        }
        try {
            send(opened, request);
            answer(opened, waiting);
        } catch (IOException e) {
            throw lost(e.getMessage(), e);
        } catch (LateException e) {
            undo(opened, request);
            throw late(e);
        }
    }

    /** Shorter than what a socket takes at once. */
    private void send(SocketChannel to, NetworkRequest request) throws IOException {
        number = number + 1 & 0xFFFF;
        to.write(ByteBuffer.wrap(request.toBytes(number)));
    }

    private void undo(SocketChannel to, NetworkRequest request) throws DkvmException {
        Optional<NetworkRequest> undone = request.undone();
        if (undone.isPresent()) {
            try {
                send(to, undone.get());
            } catch (IOException e) {
                throw lost(e.getMessage(), e);
            }
        }
    }

    /** Awaits the answer to the last request; those to others before it came too late. */
    private void answer(SocketChannel from, Selector waiting) throws IOException, DkvmException, LateException {
        int answered;
        do {
            await(from, waiting, HEADER_BYTES);
            int length = Short.toUnsignedInt(received.getShort(0));
            if (length == 0 || length > MAX_BYTES - HEADER_BYTES) {
                throw new IOException("an answer has " + length + " bytes");
            }
            await(from, waiting, HEADER_BYTES + length);
            answered = Short.toUnsignedInt(received.getShort(Short.BYTES));
            received.position(HEADER_BYTES);
            boolean failed = received.get() != 0;
            String text = StandardCharsets.UTF_8.decode(received).toString();
            received.clear();
            if (failed && answered == number) {
                throw new DkvmException(text, "");
            }
        } while (answered != number);
    }

    private void await(SocketChannel from, Selector waiting, int size) throws IOException, LateException {
        // More of it than that may have come before the deadline of a request that is over.
        received.limit(Math.max(size, received.position()));
        int left = STEPS;
        while (received.hasRemaining()) {
            int count = from.read(received);
            if (count < 0) {
                throw new IOException("it has ended");
            }
            if (count == 0 && left-- == 0) {
                throw new LateException();
            }
            if (count == 0) {
                waiting.select(Math.max(1, deadline.toMillis() / STEPS));
                waiting.selectedKeys().clear();
            }
        }
    }

    private DkvmException late(Exception cause) {
        return lost("it did not answer within " + deadline.toSeconds() + " s", cause);
    }

    private static DkvmException lost(@Nullable String reason, @Nullable Exception cause) {
        String text = "the network can not be changed: " + PROGRAM + ": " + reason;
        String advice = "the monitor's log may say more: \"dkvm logs\"";
        return cause == null ? new DkvmException(text, advice) : new DkvmException(text, advice, cause);
    }
}
