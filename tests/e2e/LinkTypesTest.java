// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.TOOLS;

import java.util.List;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;
import org.opentest4j.TestAbortedException;

/** Interfaces that are no end of a bridge's cable, frames of other sizes, and what is sent to many. */
@EndToEnd
class LinkTypesTest {
    /** Says what comes to a group, after saying that it is heard. */
    private static final String HEAR = """
            import socket, struct, sys
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("", 7000))
            s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton("239.1.2.3") + socket.inet_aton(sys.argv[1]))
            six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); six.bind(("", 7001))
            six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(socket.AF_INET6, "ff02::4242") + struct.pack("I", socket.if_nametoindex("eth0")))
            print("hears", flush=True); want = {b"many": s, b"all": s, b"six": six}
            while want:
                for name, sock in list(want.items()):
                    sock.settimeout(0.2)
                    try: got = sock.recv(100)
                    except TimeoutError: continue
                    if want.pop(got, None): print(got.decode(), flush=True)
            print("heard", flush=True)
            """;

    /** Says it again and again, as a datagram may be lost. */
    private static final String TELL = """
            import socket, sys, time
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(sys.argv[1]))
            six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex("eth0"))
            while True:
                s.sendto(b"many", ("239.1.2.3", 7000)); s.sendto(b"all", (sys.argv[1].rsplit(".", 1)[0] + ".255", 7000))
                six.sendto(b"six", ("ff02::4242", 7001)); time.sleep(0.1)
            """;

    /** Plays the case with ends of cables, one for each side: a driver wants a parent of its own for each network. */
    private static void withParents(BiScenario scenario) throws Exception {
        String pair = "dk" + UUID.randomUUID().toString().substring(0, 8);
        Queue<String> parents = new ConcurrentLinkedQueue<>();
        for (String number : List.of("0", "1")) {
            Host.run("ip", "link", "add", pair + number + "a", "type", "veth", "peer", "name", pair + number + "b");
            Host.run("ip", "link", "set", pair + number + "a", "up");
            Host.run("ip", "link", "set", pair + number + "b", "up");
            parents.add(pair + number + "a");
        }
        try {
            assertSame(docker -> scenario.play(docker, parents.remove()));
        } finally {
            Host.run("ip", "link", "delete", pair + "0a");
            Host.run("ip", "link", "delete", pair + "1a");
        }
    }

    /** What a side does with its parent. */
    @FunctionalInterface
    private interface BiScenario {
        void play(Docker docker, String parent) throws Exception;
    }

    /** Skips the case where the kernel has no such interfaces. */
    private static void needs(String driver) throws Exception {
        String parent = "dk" + UUID.randomUUID().toString().substring(0, 8);
        Host.run("ip", "link", "add", parent + "a", "type", "veth", "peer", "name", parent + "b");
        try {
            Outcome outcome = Running.complete(
                    List.of("ip", "link", "add", "link", parent + "a", "name", parent + "c", "type", driver),
                    Bytes.of(""));
            if (outcome.exitCode() != 0) {
                throw new TestAbortedException("this machine's kernel makes no " + driver + ": " + outcome.errors());
            }
        } finally {
            Host.run("ip", "link", "delete", parent + "a");
        }
    }

    private static void talks(String driver, String mode) throws Exception {
        needs(driver);
        withParents((docker, parent) -> {
            String subnet = Subnets.ipv4(docker);
            String network = docker.network(
                    "-d",
                    driver,
                    "--subnet",
                    subnet + ".0/24",
                    "--ipv6",
                    "--subnet",
                    Subnets.ipv6(docker) + "/64",
                    "-o",
                    "parent=" + parent,
                    "-o",
                    driver + "_mode=" + mode);
            Container peer = docker.peer(
                    "--network", network, "--ip", subnet + ".5", TOOLS, "socat", "TCP-LISTEN:7000,fork", "EXEC:cat");
            Container container = docker.start(
                    "--network", network, "--ip", subnet + ".6", TOOLS, "python3", "-c", HEAR, subnet + ".6");
            container.awaitLog("hears");
            container.exec(
                    "sh",
                    "-c",
                    "ip -o -4 addr show dev eth0 | awk '{print $4}'; ip route; ping -c 2 -i 0.2 -s 3000 " + subnet
                            + ".5 | grep -c 'bytes from'; seq 200000 | socat -t 60 - TCP:" + subnet
                            + ".5:7000 | md5sum");
            peer.exec("sh", "-c", "ping -c 2 -i 0.2 " + subnet + ".6 | grep -c 'bytes from'");
            docker.peer("--network", network, "--ip", subnet + ".7", TOOLS, "python3", "-c", TELL, subnet + ".7");
            container.awaitLog("heard");
        });
    }

    @Test
    void aMacvlanIsTakenOver() throws Exception {
        talks("macvlan", "bridge");
    }

    @Test
    void anIpvlanIsTakenOver() throws Exception {
        talks("ipvlan", "l2");
    }

    @Test
    void whatIsSentToManyIsHeard() throws Exception {
        assertSame(docker -> {
            String subnet = Subnets.ipv4(docker);
            String network =
                    docker.network("--subnet", subnet + ".0/24", "--ipv6", "--subnet", Subnets.ipv6(docker) + "/64");
            Container container = docker.start(
                    "--network", network, "--ip", subnet + ".6", TOOLS, "python3", "-c", HEAR, subnet + ".6");
            container.awaitLog("hears");
            docker.peer("--network", network, "--ip", subnet + ".7", TOOLS, "python3", "-c", TELL, subnet + ".7");
            container.awaitEnd();
            // And the other way round.
            Container peer = docker.peer(
                    "--network", network, "--ip", subnet + ".8", TOOLS, "python3", "-c", HEAR, subnet + ".8");
            peer.awaitLog("hears");
            docker.start("--network", network, "--ip", subnet + ".9", TOOLS, "python3", "-c", TELL, subnet + ".9");
            peer.awaitEnd();
            docker.note(
                    "heard",
                    container.log().lines().sorted().toList() + " "
                            + peer.log().lines().sorted().toList());
        });
    }

    @Test
    void oneVmHearsTheOther() throws Exception {
        onVm(docker -> {
            String subnet = Subnets.ipv4(docker);
            String network =
                    docker.network("--subnet", subnet + ".0/24", "--ipv6", "--subnet", Subnets.ipv6(docker) + "/64");
            Container container = docker.start(
                    "--network", network, "--ip", subnet + ".6", TOOLS, "python3", "-c", HEAR, subnet + ".6");
            docker.start("--network", network, "--ip", subnet + ".7", TOOLS, "python3", "-c", TELL, subnet + ".7");
            container.awaitLog("heard");
        });
    }

    @Test
    void framesAreAsLargeAsTheNetworksAre() throws Exception {
        assertSame(docker -> {
            String network = docker.network("--opt", "com.docker.network.driver.mtu=9000");
            Container peer = docker.peer(
                    "--network",
                    network,
                    "--network-alias",
                    "peer",
                    TOOLS,
                    "socat",
                    "TCP-LISTEN:7000,fork",
                    "EXEC:cat");
            peer.address();
            docker.run(
                    "--network",
                    network,
                    TOOLS,
                    "sh",
                    "-c",
                    "cat /sys/class/net/eth0/mtu; ping -c 1 -M do -s 8972 peer | grep -c 'bytes from'; ping -c 1 -M do -s 8973 peer 2>&1 | grep -o 'mtu.*' | head -n 1;"
                            + " ping -c 1 -s 60000 peer | grep -c 'bytes from'; seq 1000000 | socat -t 60 - TCP:peer:7000 | md5sum");
        });
    }

    @Test
    void aPacketTooLargeForTheWayIsToldSo() throws Exception {
        assertSame(docker -> {
            String network = docker.network("--opt", "com.docker.network.driver.mtu=1200");
            Container peer = docker.peer("--network", network, BUSYBOX, "sleep", "1000");
            docker.run(
                    "--network",
                    network,
                    TOOLS,
                    "sh",
                    "-c",
                    "ping -c 1 -M do -s 1300 " + peer.address() + " 2>&1 | grep -o 'mtu.*' | head -n 1");
        });
    }
}
