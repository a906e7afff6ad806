// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.TOOLS;

import org.junit.jupiter.api.Test;

/** The workload's interfaces are those the engine made: addresses, routes, names, resolvers. */
@EndToEnd
class NetworkTest {
    private static final String INTERFACE =
            "ip -o -4 addr show dev %1$s | awk '{print $4}'; cat /sys/class/net/%1$s/address /sys/class/net/%1$s/mtu";

    @Test
    void theInterfaceHasTheAddressOfTheEngine() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(
                    TOOLS, "sh", "-c", INTERFACE.formatted("eth0") + "; ip route; ls /sys/class/net; sleep 1000");
            container.awaitLog("lo\n");
            container.address();
            docker.alias(container.inspect("{{.NetworkSettings.MacAddress}}"), "mac");
            docker.alias(container.inspect("{{.NetworkSettings.Gateway}}"), "gateway");
            docker.note("seen inside", container.log());
        });
    }

    @Test
    void theLoopbackWorks() throws Exception {
        assertSame(
                docker -> docker.run(
                        TOOLS,
                        "sh",
                        "-c",
                        "ip -o addr show lo | sed 's/^.*: //; s/ *valid.*//'; (echo looped | nc -l -N 127.0.0.1 1234) & until nc -d 127.0.0.1 1234; do :; done"));
    }

    @Test
    void withoutNetworkThereIsOnlyTheLoopback() throws Exception {
        assertSame(
                docker -> docker.run(
                        "--network",
                        "none",
                        TOOLS,
                        "sh",
                        "-c",
                        "ls /sys/class/net; ip route; cat /etc/resolv.conf | grep -v '^#'; nc -w 1 10.0.0.1 80 || echo unreachable"));
    }

    @Test
    void anAddressIsChosen() throws Exception {
        assertSame(docker -> {
            String subnet = Subnets.ipv4(docker);
            String network = docker.network("--subnet", subnet + ".0/24", "--gateway", subnet + ".254");
            docker.run(
                    "--network",
                    network,
                    "--ip",
                    subnet + ".77",
                    TOOLS,
                    "sh",
                    "-c",
                    INTERFACE.formatted("eth0") + " | grep -v :; ip route");
        });
    }

    @Test
    void aHardwareAddressIsChosen() throws Exception {
        assertSame(docker ->
                docker.run("--mac-address", "02:42:0a:0b:0c:0d", BUSYBOX, "cat", "/sys/class/net/eth0/address"));
    }

    @Test
    void theNetworksMtuCounts() throws Exception {
        assertSame(docker -> {
            String network = docker.network("--opt", "com.docker.network.driver.mtu=1337");
            Container peer = docker.peer("--network", network, BUSYBOX, "sleep", "1000");
            docker.run(
                    "--network",
                    network,
                    BUSYBOX,
                    "sh",
                    "-c",
                    "cat /sys/class/net/eth0/mtu; ping -c 1 -s 1309 " + peer.name() + " >/dev/null && echo fits");
        });
    }

    @Test
    void anInterfaceForEachNetwork() throws Exception {
        assertSame(docker -> {
            String first = Subnets.ipv4(docker);
            String second = Subnets.ipv4(docker);
            String network = docker.network("--subnet", first + ".0/24");
            String other = docker.network("--subnet", second + ".0/24");
            docker.alias(first + ".", "first.");
            docker.alias(second + ".", "second.");
            Container container = docker.create(
                    "--network",
                    network,
                    "--ip",
                    first + ".5",
                    TOOLS,
                    "sh",
                    "-c",
                    "ip -o -4 addr | awk '{print $2, $4}' | sort -k 2; ip route | sed 's/dev eth[01] *//' | sort");
            docker.quietly("network", "connect", "--ip", second + ".6", other, container.name());
            docker.cli("start", "-a", container.name());
        });
    }

    @Test
    void theNewAddressingProtocolWorksToo() throws Exception {
        assertSame(docker -> {
            String prefix = Subnets.ipv6(docker);
            String network =
                    docker.network("--ipv6", "--subnet", prefix + "/64", "--subnet", Subnets.ipv4(docker) + ".0/24");
            Container peer = docker.peer("--network", network, "--ip6", prefix + "99", BUSYBOX, "sleep", "1000");
            peer.inspect("{{.Id}}");
            docker.run(
                    "--network",
                    network,
                    "--ip6",
                    prefix + "42",
                    TOOLS,
                    "sh",
                    "-c",
                    "ip -o -6 addr show dev eth0 scope global | awk '{print $4}'; ip -6 route show default | awk '{print $1, $2, $3}'; until getent ahostsv6 "
                            + peer.name() + " | head -n 1 | awk '{print $1}'; do :; done");
            docker.run(
                    "--network",
                    network,
                    BUSYBOX,
                    "sh",
                    "-c",
                    "ping -c 1 -W 20 " + prefix + "99 >/dev/null && echo reached");
        });
    }

    @Test
    void aPeerIsFoundByNameAliasAndAddress() throws Exception {
        assertSame(docker -> {
            String network = docker.network();
            Container peer = docker.peer("--network", network, "--network-alias", "db.alias", BUSYBOX, "sleep", "1000");
            peer.address();
            docker.run(
                    "--network",
                    network,
                    TOOLS,
                    "sh",
                    "-c",
                    "for n in " + peer.name()
                            + " db.alias; do getent hosts $n | tr -s ' '; dig +short $n; dig +tcp +short $n; done;"
                            + " dig +short -x $(dig +short db.alias) | sed 's/\\..*//'");
        });
    }

    @Test
    void theWorkloadIsFoundByItsPeers() throws Exception {
        assertSame(docker -> {
            String network = docker.network();
            Container container = docker.start(
                    "--network",
                    network,
                    "--network-alias",
                    "service",
                    "-h",
                    "inner",
                    TOOLS,
                    "python3",
                    "-u",
                    "-c",
                    "import http.server; http.server.HTTPServer(('', 80), http.server.SimpleHTTPRequestHandler).serve_forever()");
            container.address();
            Container peer = docker.peer("--network", network, TOOLS, "sleep", "1000");
            Deadline.await(
                    "the workload listens",
                    () -> docker.attempt(peer.execArguments("curl", "-sf", "http://service/etc/debian_version"))
                                    .exitCode()
                            == 0);
            // getent aligns in columns, and the two sides' addresses may differ in length
            peer.exec("sh", "-c", "getent hosts service | tr -s ' '");
            peer.exec("curl", "-s", "http://" + container.name() + "/etc/debian_version");
            peer.exec("sh", "-c", "ping -c 1 service >/dev/null 2>&1; curl -s http://service:81/; echo $?");
        });
    }

    @Test
    void theResolverIsConfiguredAsAsked() throws Exception {
        assertSame(docker -> {
            docker.run(
                    "--dns",
                    "10.1.2.3",
                    "--dns",
                    "10.1.2.4",
                    "--dns-search",
                    "a.test",
                    "--dns-search",
                    "b.test",
                    "--dns-option",
                    "ndots:3",
                    "--dns-option",
                    "timeout:1",
                    BUSYBOX,
                    "cat",
                    "/etc/resolv.conf");
            docker.run(
                    "--network",
                    docker.network(),
                    "--dns",
                    "10.1.2.3",
                    "--dns-search",
                    "a.test",
                    BUSYBOX,
                    "grep",
                    "-v",
                    "^#",
                    "/etc/resolv.conf");
            docker.run(BUSYBOX, "cat", "/etc/resolv.conf");
        });
    }

    @Test
    void searchDomainsAreSearched() throws Exception {
        assertSame(docker -> {
            String network = docker.network();
            Container peer =
                    docker.peer("--network", network, "--network-alias", "short.sea.test", BUSYBOX, "sleep", "1000");
            peer.address();
            docker.run(
                    "--network",
                    network,
                    "--dns-search",
                    "sea.test",
                    TOOLS,
                    "sh",
                    "-c",
                    "getent hosts short | tr -s ' '");
        });
    }

    @Test
    void namesAreAskedOfTheGivenServer() throws Exception {
        assertSame(docker -> {
            String network = docker.network();
            Container names = NameServer.start(docker, "--network", network);
            String address = names.address();
            docker.run(
                    "--network",
                    network,
                    "--dns",
                    address,
                    TOOLS,
                    "sh",
                    "-c",
                    "getent ahostsv4 www.example.test | head -n 1; dig +short other.example.test; getent hosts missing.test; echo $?; dig missing.test | grep -o 'status: [A-Z]*'");
        });
    }

    @Test
    void addedHostsAreFound() throws Exception {
        assertSame(docker -> docker.run(
                "--add-host",
                "peer.test:10.9.8.7",
                "--network",
                docker.network(),
                TOOLS,
                "getent",
                "hosts",
                "peer.test"));
    }

    @Test
    void theOwnNameIsTheOwnAddress() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(
                    "-h", "whale", TOOLS, "sh", "-c", "getent hosts whale | tr -s ' '; echo end; sleep 1000");
            container.awaitLog("end");
            container.address();
            docker.note("log", container.log());
        });
    }

    @Test
    void aLinkedContainerIsInTheHostsFile() throws Exception {
        assertSame(docker -> {
            Container peer = docker.peer("--expose", "81", BUSYBOX, "sleep", "1000");
            peer.address();
            docker.alias(peer.id(), "peer");
            docker.run(
                    "--link",
                    peer.name() + ":linked",
                    TOOLS,
                    "sh",
                    "-c",
                    "getent hosts linked | tr -s ' '; env | grep ^LINKED | sort");
        });
    }

    @Test
    void pingsAreAnswered() throws Exception {
        assertSame(docker -> {
            Container peer = docker.peer(BUSYBOX, "sleep", "1000");
            String address = peer.address();
            docker.run(
                    BUSYBOX,
                    "sh",
                    "-c",
                    "ping -c 3 -i 0.2 " + address + " | grep -c 'bytes from'; ping -c 1 -s 4000 " + address
                            + " | grep -c 'bytes from'");
            Container container = docker.start(BUSYBOX, "sh", "-c", "echo ready; sleep 1000");
            container.awaitLog("ready");
            peer.exec("sh", "-c", "ping -c 2 -i 0.2 " + container.address() + " | grep -c 'bytes from'");
        });
    }

    @Test
    void ipv4SettingsOfTheInterfaceAreSane() throws Exception {
        Transcript seen = assertSame(
                docker -> docker.run(
                        BUSYBOX,
                        "sh",
                        "-c",
                        "cat /sys/class/net/eth0/operstate /sys/class/net/eth0/carrier /sys/class/net/eth0/type; cd /proc/sys/net/ipv4; cat ip_unprivileged_port_start ip_forward conf/eth0/forwarding"));
        assertThat(seen.first().text()).startsWith("up");
    }
}
