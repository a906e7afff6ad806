// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import java.io.ByteArrayInputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A websocket as two streams, as a page's VNC client has it. */
final class WebScreen implements Closeable {
    private static final byte[] END = {};
    private static final int PATIENCE_SECONDS = 20;

    private final BlockingQueue<byte[]> pieces = new LinkedBlockingQueue<>();
    private final HttpClient client = HttpClient.newHttpClient();
    private final WebSocket socket;

    private WebScreen(int port, String origin) {
        WebSocket.Builder builder = client.newWebSocketBuilder();
        if (!origin.isEmpty()) {
            builder.header("Origin", origin);
        }
        socket = builder.buildAsync(URI.create("ws://127.0.0.1:" + port + "/websockify"), new Pieces())
                .join();
    }

    /** Connects to a port of this host; fails with an IOException where the server does not take a websocket. */
    static WebScreen connect(int port, String origin) throws IOException {
        try {
            return new WebScreen(port, origin);
        } catch (CompletionException e) {
            if (e.getCause() instanceof IOException cause) {
                throw cause;
            }
            throw e;
        }
    }

    /** What the server sends. */
    InputStream in() {
        return new InputStream() {
            private InputStream piece = new ByteArrayInputStream(END);

            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
            }

            @Override
            public int read(byte[] to, int offset, int length) throws IOException {
                int count = piece.read(to, offset, length);
                while (count < 0) {
                    byte[] next = next();
                    if (next.length == 0) {
                        return -1;
                    }
                    piece = new ByteArrayInputStream(next);
                    count = piece.read(to, offset, length);
                }
                return count;
            }
        };
    }

    private byte[] next() throws IOException {
        try {
            byte[] next = pieces.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
            if (next == null) {
                throw new IOException("the server has been silent for " + PATIENCE_SECONDS + " s");
            }
            return next;
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    /** What the server is sent. */
    OutputStream out() {
        return new OutputStream() {
            @Override
            public void write(int one) {
                write(new byte[] {(byte) one}, 0, 1);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) {
                socket.sendBinary(ByteBuffer.wrap(bytes, offset, length), true).join();
            }
        };
    }

    @Override
    public void close() {
        socket.abort();
        client.shutdownNow();
    }

    private final class Pieces implements WebSocket.Listener {
        @Override
        public @Nullable CompletionStage<?> onBinary(WebSocket from, ByteBuffer data, boolean last) {
            byte[] piece = new byte[data.remaining()];
            data.get(piece);
            if (piece.length > 0) {
                pieces.add(piece);
            }
            from.request(1);
            return null;
        }

        @Override
        public @Nullable CompletionStage<?> onClose(WebSocket from, int code, String reason) {
            pieces.add(END);
            return null;
        }

        @Override
        public void onError(WebSocket from, Throwable error) {
            pieces.add(END);
        }
    }
}
