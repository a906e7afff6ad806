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
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What goes over the network arrives: between containers of both runtimes, and from the host through published ports. */
@EndToEnd
class TrafficTest {
    private static final int LARGE_BYTES = 20_000_000;
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    /** Sends what a seed gives to who connects, says the hash of what comes back. */
    private static final String SERVER = """
            import hashlib, random, socket, threading
            s = socket.create_server(("", 5000)); print("ready", flush=True)
            while True:
                c, peer = s.accept()
                def serve(c=c):
                    h = hashlib.sha256(); random.seed(5)
                    threading.Thread(target=lambda: (c.sendall(random.randbytes(%d)), c.shutdown(1))).start()
                    while d := c.recv(65536): h.update(d)
                    print("received", h.hexdigest(), flush=True)
                threading.Thread(target=serve).start()
            """.formatted(LARGE_BYTES);

    private static final String CLIENT = """
            import fcntl, hashlib, random, socket, struct, sys, threading, time
            c = socket.create_connection((sys.argv[1], 5000), 100); h = hashlib.sha256(); random.seed(6)
            t = threading.Thread(target=lambda: (c.sendall(random.randbytes(%d)), c.shutdown(1))); t.start()
            while d := c.recv(65536): h.update(d)
            t.join()
            # The namespace goes with the container: all has to be there before (SIOCOUTQ, see tcp(7)).
            while struct.unpack("i", fcntl.ioctl(c, 0x5411, bytes(4)))[0]: time.sleep(0.05)
            print(h.hexdigest())
            """.formatted(LARGE_BYTES);

    private static final String ECHO_TCP =
            "echo ready; exec socat -t 60 TCP-LISTEN:7000,fork,reuseaddr,backlog=64 EXEC:cat";
    private static final String ECHO_UDP = "echo ready; exec socat UDP-RECVFROM:7000,fork EXEC:cat";

    @Test
    void twentyMegabytesBothWaysAsClient() throws Exception {
        assertSame(docker -> {
            Container server = docker.peer(TOOLS, "python3", "-c", SERVER);
            server.awaitLog("ready");
            docker.stdin(CLIENT).run("-i", TOOLS, "python3", "-", server.address());
            server.awaitLog("received");
            docker.note("server", server.log());
        });
    }

    @Test
    void twentyMegabytesBothWaysAsServer() throws Exception {
        assertSame(docker -> {
            Container server = docker.start(TOOLS, "python3", "-c", SERVER);
            server.awaitLog("ready");
            Container client = docker.peer(TOOLS, "python3", "-c", CLIENT, server.address());
            client.finish();
            server.awaitLog("received");
            docker.note("server", server.log());
        });
    }

    @Test
    void theSourceAddressIsTheWorkloads() throws Exception {
        assertSame(docker -> {
            Container server = docker.peer(
                    TOOLS,
                    "python3",
                    "-c",
                    "import socket; s = socket.create_server(('', 5000)); print('ready', flush=True); print(s.accept()[1][0])");
            server.awaitLog("ready");
            Container client =
                    docker.start(TOOLS, "sh", "-c", "nc -N " + server.address() + " 5000 </dev/null; sleep 1000");
            client.address();
            server.finish();
        });
    }

    @Test
    void manyConnectionsAtOnce() throws Exception {
        assertSame(docker -> {
            Container server = docker.start(TOOLS, "sh", "-c", ECHO_TCP);
            server.awaitLog("ready");
            docker.note(
                    "answers",
                    docker.peer(
                                    TOOLS,
                                    "sh",
                                    "-c",
                                    "for i in $(seq 40); do (echo hello $i | socat -t 60 - TCP:" + server.address()
                                            + ":7000,retry=50) & done; wait")
                            .finishedLog()
                            .lines()
                            .sorted()
                            .toList());
        });
    }

    @Test
    void fiveHundredRoundsOfQuestionAndAnswer() throws Exception {
        assertSame(docker -> {
            Container server = docker.peer(TOOLS, "sh", "-c", ECHO_TCP);
            server.awaitLog("ready");
            docker.run(TOOLS, "python3", "-c", """
                    import socket, sys
                    c = socket.create_connection((sys.argv[1], 7000)); f = c.makefile("rw")
                    for i in range(500):
                        f.write(f"round {i}\\n"); f.flush(); assert f.readline() == f"round {i}\\n"
                    print("done")
                    """, server.address());
        });
    }

    @Test
    void datagramsOfAllSizesArrive() throws Exception {
        assertSame(docker -> {
            Container server = docker.start(TOOLS, "sh", "-c", ECHO_UDP);
            server.awaitLog("ready");
            Container client = docker.peer(TOOLS, "python3", "-c", """
                    import socket, sys
                    c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); c.settimeout(2)
                    for size in (1, 100, 1472, 1473, 8000):
                        sent = bytes(i % 256 for i in range(size))
                        for attempt in range(20):
                            c.sendto(sent, (sys.argv[1], 7000))
                            try:
                                got = c.recv(65536)
                                if got == sent: print(size); break
                            except TimeoutError: pass
                    """, server.address());
            client.finish();
        });
    }

    @Test
    void aPortNobodyListensOnIsRefused() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(TOOLS, "sh", "-c", "nc -l 127.0.0.1 7000 & echo ready; sleep 1000");
            container.awaitLog("ready");
            container.address();
            Container peer = docker.peer(TOOLS, "sleep", "1000");
            Deadline.await(
                    "the address answers",
                    () -> docker.attempt(peer.execArguments("curl", "-s", "http://" + container.address() + ":7001"))
                                    .exitCode()
                            == 7);
            peer.exec(
                    "sh",
                    "-c",
                    "curl -s --max-time 60 http://" + container.address()
                            + ":7000; echo $?; curl -s --max-time 60 http://" + container.address() + ":7001; echo $?");
        });
    }

    @Test
    void anUnprivilegedUserServesAPrivilegedPort() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(
                    "-u",
                    "1000",
                    TOOLS,
                    "sh",
                    "-c",
                    "socat TCP-LISTEN:80,reuseaddr 'SYSTEM:echo served'; echo ended $?");
            Container peer = docker.peer(TOOLS, "sleep", "1000");
            Deadline.await(
                    "the port answers",
                    () -> docker.attempt(peer.execArguments(
                                            "sh", "-c", "socat -u TCP:" + container.address() + ":80 - | grep served"))
                                    .exitCode()
                            == 0);
            container.finish();
        });
    }

    @Test
    void aPublishedPortReachesTheWorkload() throws Exception {
        byte[] sent = new byte[300_000];
        new Random(8).nextBytes(sent);
        assertSame(docker -> {
            Container container = docker.start("-p", "127.0.0.1::7000", TOOLS, "sh", "-c", ECHO_TCP);
            container.awaitLog("ready");
            int port = Host.port(docker.quietly("port", container.name(), "7000"));
            Deadline.await(
                    "the port answers",
                    () -> Bytes.of(exchange(port, new byte[] {'x'})).equals(Bytes.of("x")));
            docker.note("echo", Bytes.of(exchange(port, sent)).equals(Bytes.of(sent)));
        });
    }

    /** Sends all, says that it has ended, and reads until the other side has. */
    private static byte[] exchange(int port, byte[] sent) throws Exception {
        try (Socket socket = new Socket()) {
            socket.connect(
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), port), (int) Settings.DEADLINE.toMillis());
            socket.setSoTimeout((int) Settings.DEADLINE.toMillis());
            Thread writer = Thread.ofPlatform().start(() -> {
                try {
                    socket.getOutputStream().write(sent);
                    socket.shutdownOutput();
                } catch (IOException e) {
                    // The reader sees that less comes back.
                }
            });
            byte[] received = socket.getInputStream().readAllBytes();
            writer.join();
            return received;
        } catch (IOException e) {
            return new byte[0];
        }
    }

    @Test
    void aPublishedUdpPortReachesTheWorkload() throws Exception {
        assertSame(docker -> {
            Container container = docker.start("-p", "127.0.0.1::7000/udp", TOOLS, "sh", "-c", ECHO_UDP);
            container.awaitLog("ready");
            int port = Host.port(docker.quietly("port", container.name(), "7000/udp"));
            Deadline.await(
                    "the datagram comes back", () -> echoed(port, "datagram").equals("datagram"));
            docker.note("echo", "came back");
        });
    }

    private static String echoed(int port, String text) throws IOException {
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.setSoTimeout((int) PATIENCE.toMillis());
            byte[] sent = Bytes.of(text).toArray();
            socket.send(new DatagramPacket(sent, sent.length, InetAddress.getLoopbackAddress(), port));
            DatagramPacket received = new DatagramPacket(new byte[100], 100);
            socket.receive(received);
            return new String(received.getData(), 0, received.getLength(), java.nio.charset.StandardCharsets.UTF_8);
        } catch (SocketTimeoutException e) {
            return "";
        }
    }

    @Test
    void allExposedPortsArePublished() throws Exception {
        Transcript seen = assertSame(docker -> {
            Container container =
                    docker.start("-P", "--expose", "7000", "--expose", "9000/udp", TOOLS, "sh", "-c", ECHO_TCP);
            container.awaitLog("ready");
            docker.note(
                    "ports",
                    docker.quietly("port", container.name())
                            .replaceAll(":[0-9]+", ":port")
                            .lines()
                            .sorted()
                            .toList());
            int port = Host.port(docker.quietly("port", container.name(), "7000"));
            Deadline.await(
                    "the port answers",
                    () -> Bytes.of(exchange(port, new byte[] {'y'})).equals(Bytes.of("y")));
        });
        assertThat(seen.fact("ports")).contains("7000/tcp").contains("9000/udp");
    }

    @Test
    void aWorkloadReachesAPortPublishedByAnother() throws Exception {
        assertSame(docker -> {
            Container server = docker.peer("-p", "7000", TOOLS, "sh", "-c", ECHO_TCP);
            server.awaitLog("ready");
            String gateway = server.inspect("{{.NetworkSettings.Gateway}}");
            int port = Host.port(docker.quietly("port", server.name(), "7000"));
            docker.alias(gateway, "gateway");
            docker.alias(String.valueOf(port), "port");
            docker.run(TOOLS, "sh", "-c", "echo over the host | socat -t 60 - TCP:" + gateway + ":" + port);
        });
    }
}
