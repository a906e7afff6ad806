// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.NGINX;
import static org.dkvm.e2e.Images.TOOLS;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Networks that are shared with somebody: {@code --network host}, {@code --network container:X}, on both sides of it. */
@EndToEnd
class SharedNetworkTest {
    private static final AtomicInteger SUBNETS =
            new AtomicInteger((int) (ProcessHandle.current().pid() % 1000));

    private static final int BACKLOG = 50;
    private static final String ECHO_UDP = "exec socat UDP-RECVFROM:7000,fork EXEC:cat";
    /** CAP_NET_ADMIN of capabilities(7). */
    private static final long NET_ADMIN = 1L << 12;

    /** A port of the loopback that is free now. */
    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static String network(Container owner) {
        return "container:" + owner.name();
    }

    private static void awaitCommand(Container container, String what, String... command) throws Exception {
        Deadline.await(
                what,
                () -> container
                                .docker()
                                .attempt(container.execArguments(command))
                                .exitCode()
                        == 0);
    }

    @Test
    void whatTheWorkloadServesIsReachedAtTheAddressThatItShares() throws Exception {
        assertSame(docker -> {
            String network = docker.network();
            Container owner = docker.peer("--network", network, TOOLS, "sleep", "1000");
            Container peer = docker.peer("--network", network, TOOLS, "sleep", "1000");
            docker.start("--network", network(owner), NGINX);
            String address = "http://" + owner.address() + "/";
            awaitCommand(peer, "an answer at the shared address", "curl", "-sf", address);
            peer.exec("curl", "-s", address);
            owner.exec("curl", "-s", "http://127.0.0.1/");
        });
    }

    @Test
    void namesAreThoseOfTheNetworkThatItShares() throws Exception {
        assertSame(docker -> {
            String network = docker.network();
            Container owner = docker.peer("--network", network, BUSYBOX, "sleep", "1000");
            Container peer = docker.peer("--network", network, NGINX);
            docker.alias(owner.inspect("{{.Config.Hostname}}"), "host name");
            owner.address();
            peer.address();
            docker.run("--network", network(owner), TOOLS, "sh", "-c", """
                    grep nameserver /etc/resolv.conf; hostname; getent hosts $(hostname)
                    getent ahostsv4 %1$s | head -n 1; dig +tcp +short %1$s; curl -s --retry 60 --retry-connrefused http://%1$s/ | grep '<title>'
                    """.formatted(peer.name()));
        });
    }

    @Test
    void theLoopbackIsShared() throws Exception {
        assertSame(docker -> {
            Container owner = docker.peer(NGINX);
            Container neighbour = docker.peer("--network", network(owner), TOOLS, "sleep", "1000");
            Container container = docker.start(
                    "--network", network(owner), TOOLS, "python3", "-m", "http.server", "7001", "-b", "127.0.0.1");
            awaitCommand(neighbour, "an answer at the loopback", "curl", "-sf", "http://127.0.0.1:7001/etc/hostname");
            container.exec(
                    "sh", "-c", "curl -s http://127.0.0.1/ | grep '<title>'; curl -s http://127.0.0.1:7002/; echo $?");
            Container stranger = docker.peer(TOOLS, "sleep", "1000");
            stranger.exec("sh", "-c", "curl -s http://" + owner.address() + ":7001/; echo $?");
        });
    }

    @Test
    void portsComeAndGoWithWhoListens() throws Exception {
        assertSame(docker -> {
            Container owner = docker.peer(TOOLS, "sleep", "1000");
            Container container = docker.start("--network", network(owner), TOOLS, "sleep", "1000");
            for (int round = 0; round < 2; round++) {
                container.exec("-d", "--", "socat", "TCP-LISTEN:7000,fork,reuseaddr", "EXEC:cat");
                awaitCommand(
                        owner, "somebody listens", "sh", "-c", "echo x | socat -t 5 - TCP:127.0.0.1:7000 | grep x");
                container.exec("pkill", "socat");
                awaitCommand(owner, "nobody listens", "sh", "-c", "! socat -u TCP:127.0.0.1:7000 /dev/null");
            }
        });
    }

    @Test
    void datagramsGoBothWays() throws Exception {
        assertSame(docker -> {
            String network = docker.network();
            Container owner = docker.peer("--network", network, TOOLS, "sleep", "1000");
            Container peer = docker.peer("--network", network, TOOLS, "sh", "-c", ECHO_UDP);
            Container container = docker.start("--network", network(owner), TOOLS, "sh", "-c", ECHO_UDP);
            awaitCommand(
                    peer,
                    "a datagram comes back",
                    "sh",
                    "-c",
                    "echo ping | socat -t 2 - UDP:" + owner.address() + ":7000 | grep ping");
            awaitCommand(
                    container,
                    "a datagram comes back from outside",
                    "sh",
                    "-c",
                    "echo pong | socat -t 2 - UDP:" + peer.name() + ":7000 | grep pong");
        });
    }

    @Test
    void ipv6LeadsOutWhereTheNetworkHasIt() throws Exception {
        assertSame(docker -> {
            String prefix = "fd00:214:" + SUBNETS.incrementAndGet() + "::";
            docker.alias(prefix, "prefix:");
            String network = docker.network("--ipv6", "--subnet", prefix + "/64");
            Container owner = docker.peer("--network", network, BUSYBOX, "sleep", "1000");
            docker.peer(
                    "--network",
                    network,
                    "--ip6",
                    prefix + "99",
                    TOOLS,
                    "socat",
                    "TCP6-LISTEN:80,fork",
                    "SYSTEM:echo six");
            docker.run(
                    "--network", network(owner), TOOLS, "sh", "-c", "socat -u TCP6:[" + prefix + "99]:80,retry=60 -");
        });
    }

    @Test
    void theHostsNetworkLeadsOutAndIn() throws Exception {
        assertSame(docker -> {
            int port = freePort();
            docker.alias(String.valueOf(port), "port");
            try (ServerSocket server = new ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress())) {
                String there = server.getInetAddress().getHostAddress() + ":" + server.getLocalPort();
                docker.alias(String.valueOf(server.getLocalPort()), "server");
                Thread.ofPlatform().daemon().start(() -> greet(server));
                Container container = docker.start(
                        "--network",
                        "host",
                        TOOLS,
                        "sh",
                        "-c",
                        "socat -u TCP:" + there + " -; " + "socat TCP-LISTEN:" + port
                                + ",bind=127.0.0.1 'SYSTEM:echo served'; exit 3");
                Deadline.await("an answer from the workload", () -> "served\n".equals(answer(port)));
                container.finish();
            }
        });
    }

    private static void greet(ServerSocket server) {
        try (Socket socket = server.accept()) {
            socket.getOutputStream().write("hello from the host\n".getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            // The workload says that it heard nothing.
        }
    }

    private static String answer(int port) {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return "";
        }
    }

    @Test
    void aPortInUseIsToldAndOpenedWhenItIsFree() throws Exception {
        onVm(docker -> {
            Container container;
            int port;
            try (ServerSocket holder = new ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress())) {
                port = holder.getLocalPort();
                container = docker.start(
                        "--network",
                        "host",
                        TOOLS,
                        "socat",
                        "TCP-LISTEN:" + port + ",bind=127.0.0.1,fork",
                        "SYSTEM:echo served");
                container.awaitLog("dkvm: port " + port + "/tcp of the VM could not be opened");
            }
            Deadline.await("the port is the VM's", () -> "served\n".equals(answer(port)));
        });
    }

    @Test
    void theSandboxCanNotChangeASharedNetwork() throws Exception {
        onVm(docker -> {
            Container container = docker.start("--network", "host", BUSYBOX, "sleep", "1000");
            Path status = Path.of("/proc/" + container.inspect("{{.State.Pid}}") + "/status");
            String effective = Files.readAllLines(status).stream()
                    .filter(line -> line.startsWith("CapEff:"))
                    .findFirst()
                    .orElseThrow();
            long capabilities =
                    Long.parseLong(effective.substring("CapEff:".length()).strip(), 16);
            assertThat(capabilities & NET_ADMIN).isZero();
        });
    }

    @Test
    void aContainerThatJoinsAVmReachesOthers() throws Exception {
        assertSame(docker -> {
            String network = docker.network();
            Container peer = docker.peer("--network", network, NGINX);
            Container owner = docker.start("--network", network, TOOLS, "sh", "-c", "echo up; exec sleep 1000");
            owner.awaitLog("up");
            String ask = "curl -s --retry 60 --retry-connrefused http://" + peer.name() + "/ | grep '<title>'";
            Container joined = docker.peer("--network", network(owner), TOOLS, "sh", "-c", ask);
            joined.finish();
            docker.run("--network", network(owner), TOOLS, "sh", "-c", ask);
            owner.exec("sh", "-c", ask);
        });
    }

    @Test
    void anOptionLeavesANetworkOfItsOwnAsItIs() throws Exception {
        onVm(docker -> {
            Container container = docker.start("-p", "127.0.0.1::80", "--env", "DKVM_NETWORK=shared", NGINX);
            int port = Host.port(docker.quietly("port", container.name(), "80"));
            Deadline.await(
                    "an answer at the published port",
                    () -> Running.complete(List.of("curl", "-sf", "http://127.0.0.1:" + port + "/"), Bytes.of(""))
                                    .exitCode()
                            == 0);
        });
    }
}
