// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.opentest4j.TestAbortedException;

/** Services of a swarm whose nodes' default runtime is DKVM: a swarm's tasks can not choose one. */
@EndToEnd
class SwarmTest {
    private static final int PORT = 8088;
    private static final String SERVER = "hostname >index.html; exec httpd -f -p 80";

    /** Not a registry's: an engine asks for an image before it takes its own, and finds nobody there. */
    private static final String IMAGE = "localhost:1/busybox";

    @Test
    void aServicesVmsAnswerOverTheOverlayNetworkAndAPublishedPort() throws Exception {
        onVm(docker -> {
            needVxlan();
            docker.quietly("tag", BUSYBOX, IMAGE);
            try (SecondEngine engine = SecondEngine.start(docker.runtime(), IMAGE)) {
                engine.docker("swarm", "init", "--advertise-addr", SecondEngine.ADDRESS);
                engine.docker("network", "create", "-d", "overlay", "--attachable", "sea");
                // Without virtual addresses, which take IPVS of the host's kernel.
                serve(engine, "fish", "--replicas", "2");
                serve(engine, "port", "--publish", "published=" + PORT + ",target=80,mode=host");
                List<String> tasks = awaitTasks(engine, 3);
                for (String task : tasks) {
                    assertThat(engine.docker("inspect", "-f", "{{.HostConfig.Runtime}}", task))
                            .isEqualTo(docker.runtime());
                }
                assertThat(hostsThatAnswer(engine)).hasSize(2);
                Deadline.await(
                        "the published port answers",
                        () -> tasks.contains(
                                engine.inNetwork("curl", "-s", "http://" + SecondEngine.ADDRESS + ":" + PORT + "/")
                                        .text()));
                engine.docker("service", "rm", "fish", "port");
                Deadline.await(
                        "the end of all tasks", () -> engine.docker("ps", "-aq").isEmpty());
                engine.docker("swarm", "leave", "--force");
            } finally {
                docker.quietly("rmi", IMAGE);
            }
        });
    }

    private static void serve(SecondEngine engine, String name, String... options) throws Exception {
        List<String> command = new ArrayList<>(List.of("service", "create", "--detach", "--no-resolve-image"));
        command.addAll(List.of("--name", name, "--network", "sea", "--endpoint-mode", "dnsrr"));
        command.addAll(List.of(options));
        command.addAll(List.of(IMAGE, "sh", "-c", SERVER));
        engine.docker(command.toArray(String[]::new));
    }

    /** Short ids of the containers, which are their host names. */
    private static List<String> awaitTasks(SecondEngine engine, int count) throws Exception {
        Deadline.await(
                count + " tasks run: " + engine.docker("service", "ls"),
                () -> engine.docker("ps", "-q").lines().count() == count);
        return engine.docker("ps", "-q").lines().toList();
    }

    /** From a VM on the network: whom the service's name leads to, each asked. */
    private static Set<String> hostsThatAnswer(SecondEngine engine) throws Exception {
        Set<String> hosts = new TreeSet<>();
        Outcome client = engine.attempt(
                "run",
                "--rm",
                "--network",
                "sea",
                IMAGE,
                "sh",
                "-c",
                "for address in $(nslookup fish 2>/dev/null | sed -n '/^Name/,$s/^Address: //p'); do"
                        + " until wget -q -O - -T 20 http://$address/; do :; done; done");
        assertThat(client.exitCode()).as(client.toString()).isEqualTo(0);
        client.text().lines().forEach(hosts::add);
        return hosts;
    }

    private static void needVxlan() throws Exception {
        Outcome outcome = Running.complete(
                List.of(
                        "unshare", "--net", "ip", "link", "add", "vxlan0", "type", "vxlan", "id", "5", "dstport",
                        "4789"),
                Bytes.of(""));
        if (outcome.exitCode() != 0) {
            throw new TestAbortedException(
                    "no overlay networks here: the host's kernel makes no vxlan: " + outcome.errors());
        }
    }
}
