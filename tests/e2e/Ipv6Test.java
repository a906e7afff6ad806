// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Images.NGINX;
import static org.dkvm.e2e.Images.TOOLS;

import org.junit.jupiter.api.Test;

/** IPv6 beside IPv4; networks with IPv6 alone need a newer engine: EnginesTest has them. */
@EndToEnd
class Ipv6Test {
    private static String network(Docker docker, String prefix) throws Exception {
        return docker.network("--ipv6", "--subnet", prefix + "/64", "--subnet", Subnets.ipv4(docker) + ".0/24");
    }

    @Test
    void addressRouteAndNeighboursAreTheEngines() throws Exception {
        assertSame(docker -> {
            String prefix = Subnets.ipv6(docker);
            String network = network(docker, prefix);
            Container peer = docker.peer(
                    "--network", network, "--ip6", prefix + "99", "--network-alias", "peer", TOOLS, "sleep", "1000");
            docker.alias(peer.inspect("{{range .NetworkSettings.Networks}}{{.MacAddress}}{{end}}"), "peer's mac");
            docker.run(
                    "--network",
                    network,
                    "--ip6",
                    prefix + "42",
                    TOOLS,
                    "sh",
                    "-c",
                    "ip -o -6 addr show dev eth0 scope global | awk '{print $4}'; ip -6 route show default | awk '{print $1, $2, $3}';"
                            + " getent ahostsv6 peer | head -n 1 | awk '{print $1}'; ping -6 -c 1 -W 20 peer >/dev/null && echo reached;"
                            + " ip -6 neigh show " + prefix + "99 | awk '{print $1, $5}'; ping -6 -c 1 -W 20 " + prefix
                            + "1 >/dev/null && echo gateway; ping -6 -c 1 -W 20 -s 4000 peer >/dev/null && echo fragments");
        });
    }

    @Test
    void theAddressIsTheWorkloadsFromItsFirstInstruction() throws Exception {
        assertSame(docker -> {
            String prefix = Subnets.ipv6(docker);
            docker.run(
                    "--network",
                    network(docker, prefix),
                    "--ip6",
                    prefix + "42",
                    TOOLS,
                    "python3",
                    "-c",
                    "import socket, sys; s = socket.socket(socket.AF_INET6); s.bind((sys.argv[1], 80)); print('bound')",
                    prefix + "42");
        });
    }

    @Test
    void nginxListensAsItComes() throws Exception {
        assertSame(docker -> {
            String prefix = Subnets.ipv6(docker);
            String network = network(docker, prefix);
            Container container = docker.start("--network", network, "--ip6", prefix + "42", NGINX);
            container.address();
            Container peer = docker.peer("--network", network, TOOLS, "sleep", "1000");
            Deadline.await(
                    "nginx listens",
                    () -> docker.attempt(peer.execArguments("curl", "-6sf", "http://" + container.name() + "/"))
                                    .exitCode()
                            == 0);
            peer.exec(
                    "sh",
                    "-c",
                    "curl -6s http://" + container.name() + "/ | grep title; curl -4s http://" + container.name()
                            + "/ | grep title");
            // The host is in the network, too, by the bridge's address.
            docker.note("from the host", Host.run("curl", "-sf", "--noproxy", "*", "http://[" + prefix + "42]/"));
        });
    }

    @Test
    void theLoopbackAndTheLinkHaveAddresses() throws Exception {
        assertSame(docker -> {
            String prefix = Subnets.ipv6(docker);
            docker.run(
                    "--network",
                    network(docker, prefix),
                    TOOLS,
                    "sh",
                    "-c",
                    "ip -o -6 addr show lo | awk '{print $4}'; ip -o -6 addr show dev eth0 scope link | awk '{print $4}' | cut -d: -f1;"
                            + " (echo looped | nc -6 -l -N ::1 1234) & until nc -6 -d ::1 1234; do :; done; cat /proc/sys/net/ipv6/conf/eth0/disable_ipv6");
            docker.run(
                    TOOLS,
                    "sh",
                    "-c",
                    "ip -6 addr show eth0 | wc -l; cat /proc/sys/net/ipv6/conf/eth0/disable_ipv6; nc -6 -w 1 fd00::1 80 || echo none");
        });
    }
}
