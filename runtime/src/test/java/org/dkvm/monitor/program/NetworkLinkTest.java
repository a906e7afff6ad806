// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.program;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.dkvm.core.DkvmException;
import org.dkvm.network.MacAddress;
import org.dkvm.network.NetworkDevice;
import org.dkvm.network.NetworkRequest;
import org.dkvm.network.Takeover;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against a dkvm-network that answers when the test says so. */
class NetworkLinkTest {
    private static final Duration SHORT = Duration.ofMillis(200);
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final Takeover.Tap TAP = new Takeover.Tap(
            new NetworkDevice("eth0", 2, MacAddress.parse("02:42:ac:11:00:02"), 1500, true, List.of(), List.of()),
            "tap0");

    @TempDir
    Path directory;

    /** The other end. */
    private record Peer(SocketChannel channel) {
        void answer(int number, boolean failed, String text) throws IOException {
            byte[] words = text.getBytes(StandardCharsets.UTF_8);
            ByteBuffer bytes = ByteBuffer.allocate(5 + words.length).order(ByteOrder.LITTLE_ENDIAN);
            bytes.putShort((short) (1 + words.length)).putShort((short) number);
            bytes.put((byte) (failed ? 1 : 0)).put(words).flip();
            channel.write(bytes);
        }

        /** The next request, as it was sent. */
        byte[] request() throws IOException {
            ByteBuffer header = read(4);
            ByteBuffer rest = read(Short.toUnsignedInt(header.getShort(0)));
            return ByteBuffer.allocate(4 + rest.capacity())
                    .put(header)
                    .put(rest)
                    .array();
        }

        private ByteBuffer read(int size) throws IOException {
            ByteBuffer bytes = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
            while (bytes.hasRemaining() && channel.read(bytes) >= 0) {
                // What a stream gives at once may be less.
            }
            return bytes.flip();
        }
    }

    private Peer open(ServerSocketChannel server, NetworkLink link) throws Exception {
        CompletableFuture<Void> opened = CompletableFuture.runAsync(() -> {
            try {
                link.open();
            } catch (DkvmException e) {
                throw new IllegalStateException(e);
            }
        });
        Peer peer = new Peer(server.accept());
        peer.answer(0, false, "");
        opened.get();
        return peer;
    }

    private ServerSocketChannel listen() throws IOException {
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(directory.resolve("network.sock")));
        return server;
    }

    @Test
    void anAnswerThatComesTooLateIsNotTakenForAnothers() throws Exception {
        try (ServerSocketChannel server = listen()) {
            NetworkLink link = new NetworkLink(directory.resolve("network.sock"), SHORT);
            Peer peer = open(server, link);
            assertThatThrownBy(() -> link.ask(new NetworkRequest.Remove("tap1")))
                    .isInstanceOf(DkvmException.class)
                    .hasMessageContaining("did not answer");
            peer.answer(1, true, "the first one failed");
            peer.answer(2, false, "");
            link.ask(new NetworkRequest.Remove("tap2"));
            peer.answer(3, true, "the third one failed");
            assertThatThrownBy(() -> link.ask(new NetworkRequest.Remove("tap3")))
                    .hasMessageContaining("the third one failed");
            assertThat(peer.request()).isEqualTo(new NetworkRequest.Remove("tap1").toBytes(1));
            assertThat(peer.request()).isEqualTo(new NetworkRequest.Remove("tap2").toBytes(2));
        }
    }

    @Test
    void aDeviceThatIsTakenTooLateIsGivenBack() throws Exception {
        try (ServerSocketChannel server = listen()) {
            NetworkLink link = new NetworkLink(directory.resolve("network.sock"), SHORT);
            Peer peer = open(server, link);
            NetworkRequest take = new NetworkRequest.Take(TAP, 0);
            assertThatThrownBy(() -> link.ask(take)).hasMessageContaining("did not answer");
            assertThat(peer.request()).isEqualTo(take.toBytes(1));
            assertThat(peer.request())
                    .isEqualTo(new NetworkRequest.Release(new Takeover.Left("tap0", "eth0")).toBytes(2));
        }
    }

    @Test
    void anAnswerThatIsTooLongEndsTheAsking() throws Exception {
        try (ServerSocketChannel server = listen()) {
            NetworkLink link = new NetworkLink(directory.resolve("network.sock"), LONG);
            Peer peer = open(server, link);
            peer.answer(1, true, "x".repeat(600));
            assertThatThrownBy(() -> link.ask(new NetworkRequest.Remove("tap1")))
                    .hasMessageContaining("601 bytes");
        }
    }
}
