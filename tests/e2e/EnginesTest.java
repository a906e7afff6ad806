// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.TOOLS;

import java.io.IOException;
import java.util.Locale;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What an engine does for its containers it does for VMs, also where it is newer: the core of the suite, with Docker 26 and 28. */
@EndToEnd
class EnginesTest {
    /** Debian's names for what has the engine. */
    enum Suite {
        /** Docker 26.1, without its proxy for published ports (engine.sh). */
        TRIXIE,
        /** Docker 28.5: the network is there before the container starts, and no hook makes it. */
        SID
    }

    /** The only name server that these engines' machine knows (engine.sh). */
    private static final String NAME_SERVER = "10.53.53.53";

    private static final SharedEngines<Suite> ENGINES = new SharedEngines<>(
            Suite.class, suite -> Engine.start(suite.name().toLowerCase(Locale.ROOT), BUSYBOX, TOOLS));

    private static Engine engine(Suite suite) throws Exception {
        return ENGINES.get(suite);
    }

    @AfterAll
    static void endOfTheEngines() throws IOException {
        ENGINES.close();
    }

    @ParameterizedTest
    @EnumSource(Suite.class)
    void aProgramRunsWithItsStreamsAndItsCode(Suite suite) throws Exception {
        Transcript seen = assertSame(
                engine(suite),
                docker -> docker.exits(42)
                        .stdin("typed")
                        .run("-i", BUSYBOX, "sh", "-c", "cat; echo to stderr >&2; id; hostname | wc -c; exit 42"));
        assertThat(seen.first().text()).startsWith("typed");
    }

    @ParameterizedTest
    @EnumSource(Suite.class)
    void aContainerIsEnteredAndStopped(Suite suite) throws Exception {
        assertSame(engine(suite), docker -> {
            Container container = docker.start(
                    "-v",
                    "/shared",
                    BUSYBOX,
                    "sh",
                    "-c",
                    "trap 'exit 7' TERM; echo ready; while :; do sleep 0.1; done");
            container.awaitLog("ready");
            container.exec(docker.stdin("given").exits(5), "-i", "--", "sh", "-c", "cat; ls -d /shared; exit 5");
            container.exec(docker.fails(), "no-such-program");
            docker.cli("stop", container.name());
            container.finish();
        });
    }

    @ParameterizedTest
    @EnumSource(Suite.class)
    void severalNetworksAreGivenToRun(Suite suite) throws Exception {
        assertSame(engine(suite), docker -> {
            String first = Subnets.ipv4(docker);
            String second = Subnets.ipv4(docker);
            String one = docker.network("--subnet", first + ".0/24", "--opt", "com.docker.network.driver.mtu=1400");
            String two = docker.network("--subnet", second + ".0/24");
            docker.alias(first + ".", "first.");
            docker.alias(second + ".", "second.");
            // Which of them becomes eth0 is left to chance by these engines.
            docker.run(
                    "--network",
                    "name=" + one + ",ip=" + first + ".5,mac-address=02:42:00:00:00:05",
                    "--network",
                    "name=" + two + ",ip=" + second + ".6,mac-address=02:42:00:00:00:06,alias=other",
                    TOOLS,
                    "sh",
                    "-c",
                    "for d in $(ip -o -4 addr show scope global | sort -k 4 | awk '{print $2}'); do cat /sys/class/net/$d/mtu /sys/class/net/$d/address; done;"
                            + " ls /sys/class/net; ip -o -4 addr | awk '{print $4}' | sort; ip route | sed 's/dev eth[01] *//'; getent ahostsv4 other | head -n 1");
        });
    }

    @Test
    void interfacesHaveTheNamesThatWereChosen() throws Exception {
        assertSame(engine(Suite.SID), docker -> {
            String first = Subnets.ipv4(docker);
            String second = Subnets.ipv4(docker);
            String one = docker.network("--subnet", first + ".0/24");
            String two = docker.network("--subnet", second + ".0/24");
            docker.alias(first + ".", "first.");
            docker.alias(second + ".", "second.");
            docker.run(
                    "--network",
                    "name=" + one + ",ip=" + first + ".5,driver-opt=com.docker.network.endpoint.ifname=eth1",
                    "--network",
                    "name=" + two + ",ip=" + second
                            + ".6,driver-opt=com.docker.network.endpoint.ifname=lan-0,gw-priority=1",
                    TOOLS,
                    "sh",
                    "-c",
                    "ip -o -4 addr | awk '{print $2, $4}' | sort; ip route");
        });
    }

    @ParameterizedTest
    @EnumSource(Suite.class)
    void namesAndPublishedPortsLeadToTheWorkload(Suite suite) throws Exception {
        assertSame(engine(suite), docker -> {
            String prefix = Subnets.ipv6(docker);
            String network = docker.network("--ipv6", "--subnet", prefix + "/64");
            Container container = docker.start(
                    "--network",
                    network,
                    "--network-alias",
                    "service",
                    "-p",
                    "80",
                    TOOLS,
                    "python3",
                    "-u",
                    "-m",
                    "http.server",
                    "--bind",
                    "::",
                    "80");
            container.address();
            Container peer = docker.peer("--network", network, TOOLS, "sleep", "1000");
            Deadline.await(
                    "the workload listens",
                    () -> docker.attempt(peer.execArguments("curl", "-sf", "http://service/etc/debian_version"))
                                    .exitCode()
                            == 0);
            peer.exec("sh", "-c", "getent ahostsv4 service | head -n 1");
            peer.exec("curl", "-4sf", "http://" + container.name() + "/etc/debian_version");
            peer.exec("curl", "-6sf", "http://" + container.name() + "/etc/debian_version");
            // From the engine's side of the bridge, where the port is published.
            int port = Host.port(docker.quietly("port", container.name(), "80"));
            Container host = docker.peer(
                    "--network", "host", TOOLS, "curl", "-4sf", "http://127.0.0.1:" + port + "/etc/debian_version");
            host.finish();
            // Its own port by the way over the host.
            String gateway = container.inspect("{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}");
            docker.alias(gateway, "gateway");
            docker.alias(":" + port, ":port");
            container.exec("curl", "-4sf", "http://" + gateway + ":" + port + "/etc/debian_version");
            container.exec(
                    "sh",
                    "-c",
                    "getent ahostsv4 " + peer.name() + " | wc -l; curl -sf http://service/etc/debian_version");
        });
    }

    @ParameterizedTest
    @EnumSource(Suite.class)
    void externalNamesAreAskedOfTheEnginesServers(Suite suite) throws Exception {
        Docker outside = new Docker(Settings.REFERENCE, engine(suite));
        try {
            String network = outside.network("--subnet", "10.53.53.0/24");
            NameServer.start(outside, "--network", network, "--ip", NAME_SERVER);
            assertSame(
                    engine(suite),
                    docker -> docker.run(
                            "--network",
                            network,
                            TOOLS,
                            "sh",
                            "-c",
                            "dig +short www.test; dig +short www.test AAAA; dig +short large.test | wc -l; dig +short huge.test | wc -l; dig missing.test | grep -o 'status: [A-Z]*'; getent hosts www.test"));
        } finally {
            outside.cleanUp();
        }
    }

    @Test
    void aNetworkMayHaveIpv6Alone() throws Exception {
        assertSame(engine(Suite.SID), docker -> {
            String prefix = Subnets.ipv6(docker);
            String network = docker.network("--ipv4=false", "--ipv6", "--subnet", prefix + "/64");
            Container peer = docker.peer(
                    "--network",
                    network,
                    "--network-alias",
                    "peer",
                    TOOLS,
                    "socat",
                    "TCP6-LISTEN:7000,fork",
                    "EXEC:echo reached");
            docker.run(
                    "--network",
                    network,
                    "--ip6",
                    prefix + "42",
                    TOOLS,
                    "sh",
                    "-c",
                    "ip -o -4 addr; ip -o -6 addr show dev eth0 scope global | awk '{print $4}'; ip -6 route show default; socat -T 60 TCP6:peer:7000,retry=50 -");
            peer.inspect("{{.Id}}");
        });
    }
}
