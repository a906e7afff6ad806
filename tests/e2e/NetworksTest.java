// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.TOOLS;

import org.junit.jupiter.api.Test;

/** A container that is in several networks before it starts: what each of them gives it, and which of them leads out. */
@EndToEnd
class NetworksTest {
    private static final String ALL =
            "ip -o -4 addr | awk '{print $2, $4}' | sort; ip route; grep . /sys/class/net/eth*/mtu";

    @Test
    void eachNetworkGivesWhatItHas() throws Exception {
        Transcript seen = assertSame(docker -> {
            String first = Subnets.ipv4(docker);
            String second = Subnets.ipv4(docker);
            String third = Subnets.ipv4(docker);
            String one = docker.network("--subnet", first + ".0/24");
            String two = docker.network("--subnet", second + ".0/25", "--opt", "com.docker.network.driver.mtu=1280");
            String three = docker.network(
                    "--subnet",
                    third + ".0/24",
                    "--gateway",
                    third + ".250",
                    "--opt",
                    "com.docker.network.driver.mtu=9000");
            docker.alias(first + ".", "first.");
            docker.alias(second + ".", "second.");
            docker.alias(third + ".", "third.");
            Container peer = docker.peer("--network", three, "--network-alias", "peer", TOOLS, "sleep", "1000");
            peer.address();
            Container container = docker.create(
                    "--network",
                    one,
                    "--ip",
                    first + ".5",
                    TOOLS,
                    "sh",
                    "-c",
                    ALL + "; grep -v : /etc/hosts | sort;"
                            + " ping -c 1 peer >/dev/null && echo reached; getent ahostsv4 alone | head -n 1");
            docker.quietly("network", "connect", "--ip", second + ".6", "--alias", "alone", two, container.name());
            docker.quietly("network", "connect", "--ip", third + ".7", three, container.name());
            docker.cli("start", "-a", container.name());
        });
        assertThat(seen.first().text()).contains("eth0").contains("eth2").contains("reached");
    }

    @Test
    void aNetworkThatWasLeftIsNotThere() throws Exception {
        assertSame(docker -> {
            String one = docker.network("--subnet", Subnets.ipv4(docker) + ".0/24");
            String two = docker.network("--subnet", Subnets.ipv4(docker) + ".0/24");
            Container container =
                    docker.create("--network", one, TOOLS, "sh", "-c", "ls /sys/class/net; ip route | wc -l");
            docker.quietly("network", "connect", two, container.name());
            docker.quietly("network", "disconnect", one, container.name());
            docker.cli("start", "-a", container.name());
            docker.quietly("network", "connect", one, container.name());
            docker.cli("start", "-a", container.name());
            docker.quietly("network", "disconnect", one, container.name());
            docker.quietly("network", "disconnect", two, container.name());
            docker.cli("start", "-a", container.name());
        });
    }

    @Test
    void interfacesAreCalledAsInTheSandbox() throws Exception {
        onVm(docker -> {
            Container container = docker.create(
                    "--network",
                    docker.network(),
                    TOOLS,
                    "sh",
                    "-c",
                    "ip -br link show | grep eth | awk '{print $1, $3}' | sed 's/@[^ ]*//' | sort; echo end; sleep 1000");
            for (int i = 0; i < 3; i++) {
                docker.quietly("network", "connect", docker.network(), container.name());
            }
            docker.quietly("start", container.name());
            container.awaitLog("end");
            String outside = Host.run(
                    "nsenter",
                    "--net=/proc/" + container.inspect("{{.State.Pid}}") + "/ns/net",
                    "sh",
                    "-c",
                    "ip -br link show | grep eth | awk '{print $1, $3}' | sed 's/@[^ ]*//' | sort; echo end");
            assertThat(container.log().strip()).isEqualTo(outside).contains("eth3");
        });
    }

    @Test
    void networksAreKeptApart() throws Exception {
        assertSame(docker -> {
            String first = Subnets.ipv4(docker);
            String second = Subnets.ipv4(docker);
            docker.alias(first + ".", "first.");
            docker.alias(second + ".", "second.");
            String one = docker.network("--subnet", first + ".0/24");
            String two = docker.network("--subnet", second + ".0/24");
            Container peer = docker.peer("--network", two, "--ip", second + ".9", TOOLS, "sleep", "1000");
            Container container =
                    docker.start("--network", one, "--ip", first + ".5", TOOLS, "sh", "-c", "echo ready; sleep 1000");
            container.awaitLog("ready");
            container.exec(
                    docker.exits(1), "sh", "-c", "ping -c 2 -i 0.2 -w 2 " + second + ".9 | grep -c 'bytes from'");
            // The rule of an administrator comes before the engine's own.
            try (Firewall firewall = new Firewall()) {
                firewall.insert("-s", first + ".5", "-d", second + ".9", "-j", "ACCEPT");
                firewall.insert("-d", first + ".5", "-s", second + ".9", "-j", "ACCEPT");
                Deadline.await(
                        "the rule opens the way",
                        () -> docker.attempt(container.execArguments("ping", "-c", "1", "-w", "2", second + ".9"))
                                        .exitCode()
                                == 0);
                docker.note("ping", "answered");
                firewall.insert(
                        "-s",
                        first + ".5",
                        "-p",
                        "tcp",
                        "--dport",
                        "7000",
                        "-j",
                        "REJECT",
                        "--reject-with",
                        "tcp-reset");
                container.exec(docker.exits(7), "curl", "-s", "--max-time", "60", "http://" + second + ".9:7000");
            }
            Deadline.await(
                    "the way is closed again",
                    () -> docker.attempt(container.execArguments("ping", "-c", "1", "-w", "2", second + ".9"))
                                    .exitCode()
                            != 0);
            docker.note("ping", "not answered");
            peer.inspect("{{.Id}}");
        });
    }

    @Test
    void anInternalNetworkLeadsNowhere() throws Exception {
        assertSame(docker -> {
            String outer = docker.network("--subnet", Subnets.ipv4(docker) + ".0/24");
            Container far = docker.peer("--network", outer, TOOLS, "sleep", "1000");
            String network = docker.network("--internal", "--subnet", Subnets.ipv4(docker) + ".0/24");
            Container near = docker.peer("--network", network, "--network-alias", "near", TOOLS, "sleep", "1000");
            near.address();
            docker.run(
                    "--network",
                    network,
                    TOOLS,
                    "sh",
                    "-c",
                    "ip route | sed 's/ src.*//'; ping -c 1 near >/dev/null && echo near; ping -c 1 -w 2 "
                            + far.address() + " 2>&1 | grep -c unreachable; getent hosts " + far.name()
                            + " || echo unknown");
        });
    }
}
