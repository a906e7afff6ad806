// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.SYSTEMD;

import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** What an ordinary container can not run: an init with all its services, and a Docker engine with containers of its own. */
@EndToEnd
class MachineTest {
    private static final String DOCKERFILE = "FROM scratch\\nCOPY busybox /bin/busybox\\n"
            + "RUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]\\n"
            + "RUN mkdir /page && echo a page that was built >/page/index.html\\n"
            + "CMD [\"httpd\", \"-f\", \"-h\", \"/page\"]\\n";

    @Test
    void systemdStartsAnEngineThatRunsAContainerAndPowersOff() throws Exception {
        onVm(docker -> {
            // What images for engines say of themselves is not true here.
            Container machine = docker.start(
                    "--memory", "1g", "-e", "container=docker", "-v", docker.volume() + ":/var/lib/docker", SYSTEMD);
            Deadline.await(
                    "systemd to answer",
                    () -> docker.attempt(machine.execArguments("systemctl", "is-active", "dbus"))
                            .text()
                            .equals("active"));
            assertThat(machine.exec("systemd-detect-virt").text()).isIn("qemu", "kvm");
            awaitEngine(docker, machine);
            assertThat(machine.exec("docker", "info", "--format", "{{.Driver}}").text())
                    .isEqualTo("overlay2");
            machine.exec("sh", "-c", "tar -C /usr/local/bin -c hello | docker import - hello");
            assertThat(machine.exec("docker", "run", "--rm", "hello", "/hello").text())
                    .startsWith("Hello from a container image!");
            docker.attempt(machine.execArguments("systemctl", "poweroff"));
            assertThat(docker.quietly("wait", machine.name())).isEqualTo("0");
            Sandbox.assertNothingLeft(machine.id());
        });
    }

    /** Without an init, on a disk of the VM: images are built, containers run, found by name and published as with any engine. */
    @Test
    void anEngineOnADiskBuildsAndItsContainersAreReached() throws Exception {
        onVm(docker -> {
            String network = docker.network();
            Container outer = docker.peer("--network", network, BUSYBOX, "sleep", "100000");
            Container machine = docker.start(
                    "--memory=1g",
                    "--network",
                    network,
                    "-p",
                    "127.0.0.1::8080",
                    "-e",
                    "DKVM_DISKS=/disk,/var/lib/docker,ext4,2G",
                    SYSTEMD,
                    "dockerd");
            awaitEngine(docker, machine);
            assertThat(machine.exec("docker", "info", "--format", "{{.Driver}} {{(index .DriverStatus 0)}}")
                            .text())
                    .isEqualTo("overlay2 [Backing Filesystem extfs]");
            machine.exec(
                    "sh",
                    "-c",
                    "mkdir /build && cp /bin/busybox /build && cd /build && printf \"$0\" >Dockerfile"
                            + " && DOCKER_BUILDKIT=0 docker build -q -t built .",
                    DOCKERFILE);
            machine.exec("docker", "network", "create", "inner");
            machine.exec("docker", "run", "-d", "--name", "web", "--network", "inner", "-p", "8080:80", "built");
            assertThat(machine.exec(
                                    "docker",
                                    "run",
                                    "--rm",
                                    "--network=inner",
                                    "built",
                                    "sh",
                                    "-c",
                                    "wget -qO- http://web/ && ping -c 1 -W 20 \"$0\" >/dev/null && echo outer answers",
                                    // An engine does not ask another one for a name without a dot.
                                    outer.name() + "." + network)
                            .text())
                    .isEqualTo("a page that was built\nouter answers");
            String published = docker.quietly("port", machine.name(), "8080/tcp");
            assertThat(page(published)).isEqualTo("a page that was built\n");
            assertThat(outer.exec("wget", "-qO-", "http://" + machine.name() + ":8080/")
                            .text())
                    .isEqualTo("a page that was built");
        });
    }

    private static void awaitEngine(Docker docker, Container machine) throws Exception {
        Deadline.await(
                "a Docker engine in a VM",
                () -> docker.attempt(machine.execArguments("docker", "info")).exitCode() == 0);
    }

    private static String page(String published) throws Exception {
        try (InputStream page = URI.create("http://" + published + "/").toURL().openStream()) {
            return new String(page.readAllBytes(), StandardCharsets.US_ASCII);
        }
    }
}
