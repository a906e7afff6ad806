// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Images.TOOLS;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Ports by the dozen, by range and by protocol; TrafficTest has single ones, EnginesTest those of an engine without a proxy. */
@EndToEnd
class PublishedPortsTest {
    private static final AtomicInteger NEXT =
            new AtomicInteger((int) (20_000 + ProcessHandle.current().pid() % 1000 * 10));

    /** Answers on TCP ports 7000 to 7002 and on UDP port 7000 with the protocol and the number. */
    private static final String SERVER = """
            import select, socket
            tcp = [socket.create_server(("", p), backlog=50) for p in (7000, 7001, 7002)]
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.bind(("", 7000)); print("ready", flush=True)
            while True:
                for s in select.select(tcp + [udp], [], [])[0]:
                    if s is udp: data, peer = s.recvfrom(100); s.sendto(b"udp 7000 " + data, peer); continue
                    c = s.accept()[0]; c.sendall(f"tcp {c.getsockname()[1]}".encode()); c.close()
            """;

    @Test
    void aRangeIsPublishedPortByPort() throws Exception {
        Transcript seen = assertSame(docker -> {
            int base = NEXT.addAndGet(10);
            Container container = docker.start(
                    "-p",
                    "127.0.0.1:" + base + "-" + (base + 2) + ":7000-7002",
                    "-p",
                    "127.0.0.1:" + base + ":7000/udp",
                    TOOLS,
                    "python3",
                    "-c",
                    SERVER);
            container.awaitLog("ready");
            Deadline.await("the last port answers", () -> !said(base + 2).isEmpty());
            for (int i = 0; i < 3; i++) {
                docker.note("port " + i, said(base + i));
            }
            docker.note("datagram", answer(base));
        });
        assertThat(seen.fact("port 1")).isEqualTo("tcp 7001");
    }

    @Test
    void aFreePortOfARangeIsTaken() throws Exception {
        assertSame(docker -> {
            int base = NEXT.addAndGet(10);
            String range = "127.0.0.1:" + base + "-" + (base + 5) + ":7000";
            docker.peer("-p", range, TOOLS, "sleep", "1000");
            Container container = docker.start("-p", range, TOOLS, "python3", "-c", SERVER);
            container.awaitLog("ready");
            int port = Host.port(docker.quietly("port", container.name(), "7000"));
            Deadline.await("the port answers", () -> !said(port).isEmpty());
            docker.note("says", said(port) + " at " + (port - base));
        });
    }

    /** What a server says to who connects; empty when nobody is there. */
    private static String said(int port) throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), port), (int) Settings.DEADLINE.toMillis());
            socket.setSoTimeout((int) Settings.DEADLINE.toMillis());
            return Bytes.of(socket.getInputStream().readAllBytes()).utf8();
        } catch (SocketException e) {
            return "";
        }
    }

    /** What comes back for a datagram, which is sent again until something does. */
    private static String answer(int port) throws Exception {
        DatagramPacket received = new DatagramPacket(new byte[100], 100);
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.setSoTimeout(1000);
            byte[] sent = {'x'};
            Deadline.await("the datagram is answered", () -> {
                socket.send(new DatagramPacket(sent, sent.length, InetAddress.getLoopbackAddress(), port));
                try {
                    socket.receive(received);
                    return true;
                } catch (SocketTimeoutException e) {
                    return false;
                }
            });
        }
        return new String(received.getData(), 0, received.getLength(), StandardCharsets.US_ASCII);
    }
}
