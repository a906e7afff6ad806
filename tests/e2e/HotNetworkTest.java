// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.TOOLS;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** {@code docker network connect} and {@code disconnect} while the workload runs: what it sees afterwards is what a container sees. */
@EndToEnd
class HotNetworkTest {
    /** Names, addresses, sizes, routes: in an order of their own, for the kernels' numbers of devices differ. */
    private static final String LOOK =
            "ip -o addr show scope global | awk '{print $2, $3, $4, $5, $6}' | sort; ip route | sort; ip -6 route show default | awk '{print $1, $2, $3, $4, $5}';"
                    + " for d in /sys/class/net/*; do echo $(basename $d) $(cat $d/address $d/mtu $d/operstate); done;"
                    + " cat /proc/sys/net/ipv6/conf/lo/disable_ipv6";

    /** A network at a subnet of its own, whose addresses read {@code {name.}} in what is observed. */
    private record Net(String name, String subnet) {
        static Net of(Docker docker, String alias, String... options) throws Exception {
            String subnet = Subnets.ipv4(docker);
            docker.alias(subnet + ".", alias + ".");
            List<String> all = new ArrayList<>(List.of("--subnet", subnet + ".0/24"));
            all.addAll(List.of(options));
            return new Net(docker.network(all.toArray(String[]::new)), subnet);
        }

        void connect(Docker docker, Container container, String... options) throws Exception {
            List<String> command = new ArrayList<>(List.of("network", "connect"));
            command.addAll(List.of(options));
            command.addAll(List.of(name, container.name()));
            docker.quietly(command.toArray(String[]::new));
        }

        void disconnect(Docker docker, Container container) throws Exception {
            docker.quietly("network", "disconnect", name, container.name());
        }

        /** Waits until the address is there, with a link that works, or is not. */
        void await(Docker docker, Container container, boolean there) throws Exception {
            HotNetworkTest.await(
                    docker, container, (there ? "" : "! ") + "ip -o -4 addr show up | grep -qF ' " + subnet + ".'");
        }
    }

    private static void await(Docker docker, Container container, String condition) throws Exception {
        Deadline.await(
                condition + " in a container under " + docker.runtime(),
                () -> docker.attempt(container.execArguments("sh", "-c", condition))
                                .exitCode()
                        == 0);
    }

    private static void aliasMacs(Docker docker, Container container) throws Exception {
        String macs = container.inspect(
                "{{range $name, $net := .NetworkSettings.Networks}}{{$name}} {{$net.MacAddress}}\n{{end}}");
        for (String line : macs.lines().toList()) {
            int space = line.indexOf(' ');
            if (space > 0) {
                docker.alias(line.substring(space + 1), "mac in " + docker.hide(line.substring(0, space)));
            }
        }
    }

    @Test
    void aNetworkComesAndGoes() throws Exception {
        assertSame(docker -> {
            Net first = Net.of(docker, "first");
            Net second = Net.of(docker, "second", "--opt", "com.docker.network.driver.mtu=1400");
            Container container =
                    docker.start("--network", first.name(), "--ip", first.subnet() + ".7", TOOLS, "sleep", "1000");
            Container peer = docker.peer(
                    "--network", second.name(), "--ip", second.subnet() + ".9", TOOLS, "sh", "-c", "sleep 1000");
            aliasMacs(docker, container);
            container.exec("sh", "-c", LOOK);
            second.connect(docker, container, "--ip", second.subnet() + ".7", "--alias", "late");
            second.await(docker, container, true);
            aliasMacs(docker, container);
            container.exec("sh", "-c", LOOK);
            container.exec("sh", "-c", "grep -v '^#' /etc/resolv.conf; cat /etc/hosts");
            container.exec("sh", "-c", "getent hosts " + peer.name() + " | tr -s ' '; dig +short late");
            peer.exec("sh", "-c", "ping -c 1 -W 10 " + second.subnet() + ".7 >/dev/null && echo reached");
            container.exec("sh", "-c", "ping -c 1 -W 10 -s 1372 -M do " + peer.name() + " >/dev/null && echo fits");
            second.disconnect(docker, container);
            second.await(docker, container, false);
            container.exec("sh", "-c", LOOK);
            container.exec("sh", "-c", "cat /etc/hosts");
        });
    }

    @Test
    void theDefaultRouteMovesWithTheNetworks() throws Exception {
        assertSame(docker -> {
            Net first = Net.of(docker, "first");
            Net second = Net.of(docker, "second");
            Container container = docker.start("--network", first.name(), TOOLS, "sleep", "1000");
            second.connect(docker, container);
            second.await(docker, container, true);
            first.disconnect(docker, container);
            first.await(docker, container, false);
            String gateway = "ip route show default | grep -qF 'via ";
            await(docker, container, gateway + second.subnet() + ".1 '");
            aliasMacs(docker, container);
            container.exec("sh", "-c", LOOK);
            second.disconnect(docker, container);
            second.await(docker, container, false);
            container.exec("sh", "-c", LOOK);
            first.connect(docker, container);
            first.await(docker, container, true);
            await(docker, container, gateway + first.subnet() + ".1 '");
            aliasMacs(docker, container);
            container.exec("sh", "-c", LOOK);
            container.exec("sh", "-c", "ping -c 1 -W 10 " + first.subnet() + ".1 >/dev/null && echo reached");
        });
    }

    @Test
    void aContainerWithoutNetworkGetsItsFirst() throws Exception {
        assertSame(docker -> {
            Net only = Net.of(docker, "only");
            Container container = docker.create("--network", only.name(), TOOLS, "sleep", "1000");
            only.disconnect(docker, container);
            docker.quietly("start", container.name());
            container.exec("sh", "-c", "ls /sys/class/net");
            Container peer = docker.peer("--network", only.name(), BUSYBOX, "sleep", "1000");
            only.connect(docker, container, "--ip", only.subnet() + ".40");
            only.await(docker, container, true);
            await(docker, container, "ip route | grep -q default");
            aliasMacs(docker, container);
            container.exec("sh", "-c", LOOK);
            container.exec("sh", "-c", "ping -c 1 -W 10 " + peer.name() + " >/dev/null && echo reached");
        });
    }

    @Test
    void theNewAddressingProtocolComesLater() throws Exception {
        AtomicInteger numbers = new AtomicInteger();
        assertSame(docker -> {
            String prefix =
                    "fd00:214:" + ProcessHandle.current().pid() % 10000 + ":" + numbers.incrementAndGet() + "::";
            docker.alias(prefix, "prefix:");
            Net first = Net.of(docker, "first");
            Net second = Net.of(docker, "second", "--ipv6", "--subnet", prefix + "/64");
            Container container = docker.start("--network", first.name(), TOOLS, "sleep", "1000");
            second.connect(docker, container, "--ip6", prefix + "42");
            second.await(docker, container, true);
            await(docker, container, "ip -6 route | grep -q ^default");
            aliasMacs(docker, container);
            container.exec("sh", "-c", LOOK);
            container.exec("sh", "-c", "ping -c 1 -W 20 " + prefix + "1 >/dev/null && echo reached");
            second.disconnect(docker, container);
            second.await(docker, container, false);
            container.exec("sh", "-c", LOOK);
        });
    }

    @Test
    void twentyTimesWithTrafficOnTheOther() throws Exception {
        // Says a number every 50 ms, and wants it back; a connection that breaks, or stands still for 5 s, ends it.
        String client = """
                import socket, sys, time
                s = socket.create_connection((sys.argv[1], 7)); s.settimeout(5)
                print("connected", flush=True)
                for n in range(100000):
                    s.sendall(b"%08d" % n); back = b""
                    while len(back) < 8:
                        back += s.recv(8 - len(back))
                    assert back == b"%08d" % n
                    time.sleep(0.05)
                """;
        assertSame(docker -> {
            Net steady = Net.of(docker, "steady");
            Net fickle = Net.of(docker, "fickle");
            Container echo =
                    docker.peer("--network", steady.name(), TOOLS, "socat", "TCP-LISTEN:7,fork,reuseaddr", "EXEC:cat");
            Container container =
                    docker.start("--network", steady.name(), TOOLS, "python3", "-u", "-c", client, echo.address());
            container.awaitLog("connected");
            for (int i = 0; i < 20; i++) {
                fickle.connect(docker, container);
                fickle.await(docker, container, true);
                fickle.disconnect(docker, container);
                fickle.await(docker, container, false);
            }
            container.exec("sh", "-c", "ls /sys/class/net; ip route | wc -l");
            docker.note("the connection lives", container.running());
            docker.note("and said", container.log());
        });
    }

    @Test
    void onesThatComeAndGoAtOnceAreSettled() throws Exception {
        assertSame(docker -> {
            List<Net> nets = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                nets.add(Net.of(docker, "net" + i));
            }
            // Not waited for: the first is connected while the machine starts.
            Container container = docker.start("--network", nets.get(0).name(), TOOLS, "sleep", "1000");
            for (Net net : nets.subList(1, 3)) {
                net.connect(docker, container);
            }
            nets.get(0).disconnect(docker, container);
            nets.get(1).disconnect(docker, container);
            nets.get(0).connect(docker, container);
            await(docker, container, "test $(ip -o -4 addr show up scope global | wc -l) = 2");
            nets.get(0).await(docker, container, true);
            nets.get(2).await(docker, container, true);
            await(docker, container, "ip route | grep -q default");
            aliasMacs(docker, container);
            container.exec("sh", "-c", LOOK);
        });
    }

    @Test
    void oneThatComesDuringAPauseIsThereAfterIt() throws Exception {
        assertSame(docker -> {
            Net first = Net.of(docker, "first");
            Net second = Net.of(docker, "second");
            Container container = docker.start("--network", first.name(), TOOLS, "sh", "-c", "echo up; sleep 1000");
            container.awaitLog("up");
            docker.quietly("pause", container.name());
            second.connect(docker, container);
            docker.quietly("unpause", container.name());
            second.await(docker, container, true);
            docker.quietly("pause", container.name());
            second.disconnect(docker, container);
            docker.quietly("unpause", container.name());
            second.await(docker, container, false);
            container.exec("sh", "-c", "ls /sys/class/net");
        });
    }

    @Test
    void theEnginesRecordsSayWhatTheWorkloadHas() throws Exception {
        assertSame(docker -> {
            Net first = Net.of(docker, "first");
            Net second = Net.of(docker, "second");
            Container container = docker.start("--network", first.name(), TOOLS, "sleep", "1000");
            second.connect(docker, container);
            second.await(docker, container, true);
            String recorded = container.inspect(
                    "{{range .NetworkSettings.Networks}}{{.MacAddress}} {{.IPAddress}}/{{.IPPrefixLen}}\n{{end}}");
            String seen = docker.quietly(
                    container.execArguments(
                            "sh",
                            "-c",
                            "for d in $(ls /sys/class/net | grep eth); do echo $(cat /sys/class/net/$d/address) $(ip -o -4 addr show dev $d | awk '{print $4}'); done"));
            assertThat(seen.lines().sorted())
                    .containsExactlyElementsOf(recorded.lines()
                            .filter(line -> !line.isBlank())
                            .sorted()
                            .toList());
            docker.note("networks", seen.lines().count());
        });
    }

    @Test
    void theHostsRulesAndSettingsAreTheEnginesOwn() throws Exception {
        assertSame(docker -> {
            Net net = Net.of(docker, "net");
            String bridge = "br-"
                    + docker.quietly("network", "inspect", "-f", "{{.Id}}", net.name())
                            .substring(0, 12);
            docker.alias(bridge, "bridge");
            String before = settings();
            Container container = docker.start(
                    "--network",
                    net.name(),
                    "--ip",
                    net.subnet() + ".7",
                    "-p",
                    "80",
                    TOOLS,
                    "sh",
                    "-c",
                    "echo up; sleep 1000");
            container.awaitLog("up");
            docker.alias(container.inspect("{{(index (index .NetworkSettings.Ports \"80/tcp\") 0).HostPort}}"), "port");
            String during = Host.run("iptables-save")
                    .lines()
                    .filter(rule -> rule.contains(bridge) || rule.contains(net.subnet() + "."))
                    .map(rule -> rule.replaceFirst("^\\[[0-9:]*\\] ", ""))
                    .sorted()
                    .collect(Collectors.joining("\n"));
            docker.note("rules", during);
            assertThat(settings()).isEqualTo(before);
            docker.quietly("rm", "-f", container.name());
            assertThat(settings()).isEqualTo(before);
            docker.note(
                    "rules left",
                    Host.run("iptables-save")
                            .lines()
                            .filter(rule -> rule.contains(net.subnet() + ".7"))
                            .count());
        });
    }

    /** The host's network settings, but for those of interfaces that come and go, and for counters. */
    private static String settings() throws Exception {
        return Host.run("sysctl", "-a")
                .lines()
                .filter(line -> line.startsWith("net."))
                .filter(line -> !line.matches("net\\.ipv[46]\\.(conf|neigh)\\.(veth|br-|docker|vx-).*"))
                .filter(
                        line -> !line.matches(
                                "net\\.netfilter\\.nf_conntrack_(count|max|buckets).*|net\\.ipv4\\.(tcp|udp)_(mem|rmem|wmem).*|.*stable_secret.*"))
                .collect(Collectors.joining("\n"));
    }

    @Test
    void moreThanThereIsRoomForIsSaidAndComesWhenThereIs() throws Exception {
        onVm(docker -> {
            Container container = docker.start(TOOLS, "sleep", "1000");
            docker.quietly(container.execArguments("true"));
            // What was done to set the machine up is no change.
            Path log = Path.of("/proc/" + container.inspect("{{.State.Pid}}") + "/root/run/dkvm/log/monitor.log");
            assertThat(Files.readString(log)).doesNotContain("network has changed");
            List<Net> nets = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                Net net = Net.of(docker, "net" + i);
                nets.add(net);
                net.connect(docker, container);
            }
            container.awaitLog("can not be connected to the running VM: there is room for 4");
            for (Net net : nets.subList(0, 4)) {
                net.await(docker, container, true);
            }
            nets.get(1).disconnect(docker, container);
            nets.get(4).await(docker, container, true);
            assertThat(Files.readString(log)).contains("network has changed");
        });
    }

    @Test
    void aBoardWithoutPlugsSaysSo() throws Exception {
        onVm(docker -> {
            Net first = Net.of(docker, "first");
            Net second = Net.of(docker, "second");
            Container container =
                    docker.start("--network", first.name(), "-e", "DKVM_MACHINE=microvm", TOOLS, "sleep", "1000");
            docker.quietly(container.execArguments("true"));
            second.connect(docker, container);
            container.awaitLog("the board \"microvm\" takes no devices later");
            // It loses one, all the same.
            first.disconnect(docker, container);
            first.await(docker, container, false);
            assertThat(docker.quietly(container.execArguments("ls", "/sys/class/net")))
                    .isEqualTo("lo");
        });
    }
}
