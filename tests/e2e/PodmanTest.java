// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.TOOLS;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What Podman does for its containers it does for VMs: the core of the suite, with either runtime below. */
@EndToEnd
class PodmanTest {
    /** Which Podman, and which runtime makes its containers and DKVM's sandboxes. */
    enum Which {
        /** The machine's, on runc. */
        RUNC,
        /** The machine's, on crun. */
        CRUN,
        /** The machine's, on runc, with networks of CNI. */
        CNI,
        /** The next Debian's, 5.4, on runc. */
        NEWER
    }

    private static final SharedEngines<Which> ENGINES = new SharedEngines<>(Which.class, PodmanTest::start);

    private static Engine start(Which which) throws Exception {
        return switch (which) {
            case RUNC -> Engine.podman("runc", "netavark", BUSYBOX, TOOLS);
            case CRUN -> Engine.podman("crun", "netavark", BUSYBOX);
            case CNI -> Engine.podman("runc", "cni", TOOLS);
            case NEWER -> Engine.newerPodman(BUSYBOX, TOOLS);
        };
    }

    private static Engine podman(Which which) throws Exception {
        return ENGINES.get(which);
    }

    @AfterAll
    static void endOfTheEngines() throws IOException {
        ENGINES.close();
    }

    @ParameterizedTest
    @EnumSource(names = "CNI", mode = EnumSource.Mode.EXCLUDE)
    void aProgramRunsWithItsStreamsAndItsCode(Which which) throws Exception {
        Transcript seen = assertSame(
                podman(which),
                docker -> docker.exits(42)
                        .stdin("typed")
                        .run("-i", BUSYBOX, "sh", "-c", "cat; echo to stderr >&2; id; hostname | wc -c; exit 42"));
        assertThat(seen.first().text()).startsWith("typed");
    }

    @ParameterizedTest
    @EnumSource(names = "CNI", mode = EnumSource.Mode.EXCLUDE)
    void aContainerIsEnteredHeldAndStopped(Which which) throws Exception {
        assertSame(podman(which), docker -> {
            Container container = docker.start(
                    "-v",
                    "/shared",
                    "-e",
                    "GIVEN=1",
                    BUSYBOX,
                    "sh",
                    "-c",
                    "trap 'exit 7' TERM; echo ready; while :; do sleep 0.1; done");
            container.awaitLog("ready");
            container.exec(
                    docker.stdin("given").exits(5), "-i", "--", "sh", "-c", "cat; echo $GIVEN; ls -d /shared; exit 5");
            // Two words of a program that is its own: neither may run in the sandbox around the VM.
            container.exec("id");
            docker.note(
                    "a program that is not there",
                    docker.attempt(container.execArguments("no-such-program")).exitCode());
            docker.quietly("pause", container.name());
            docker.quietly("unpause", container.name());
            container.exec("true");
            docker.quietly("stop", container.name());
            container.finish();
        });
    }

    @Test
    void aProgramIsWhoItIsToldToBeInWhatItIsGiven() throws Exception {
        assertSame(
                podman(Which.RUNC),
                docker -> docker.exits(1)
                        .run(
                                "--read-only",
                                "--user=1000:1000",
                                "--workdir=/tmp",
                                "--tmpfs=/scratch:mode=1777",
                                "--hostname=named",
                                "--env=A=b c",
                                TOOLS,
                                "sh",
                                "-c",
                                "id; pwd; hostname; echo \"$A\"; touch /scratch/x && echo written; touch /x 2>/dev/null"));
    }

    @ParameterizedTest
    @EnumSource(names = {"RUNC", "NEWER"})
    void namesAndPortsLeadToTheWorkload(Which which) throws Exception {
        assertSame(podman(which), docker -> {
            String network = docker.network("--subnet", Subnets.ipv4(docker) + ".0/24");
            Container web = docker.start(
                    "--network",
                    network,
                    "--network-alias",
                    "service",
                    TOOLS,
                    "python3",
                    "-u",
                    "-m",
                    "http.server",
                    "80");
            Container peer = docker.peer("--network", network, TOOLS, "sleep", "1000");
            Deadline.await(
                    "the workload listens",
                    () -> docker.attempt(peer.execArguments("curl", "-sf", "http://service/etc/debian_version"))
                                    .exitCode()
                            == 0);
            peer.exec("curl", "-sf", "http://" + web.name() + "/etc/debian_version");
            docker.alias(web.inspect("{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"), "address");
            web.exec(
                    "sh",
                    "-c",
                    "ip -o -4 addr show dev eth0 | awk '{print $4}'; getent ahostsv4 service | head -n 1 | cut -d' ' -f1");
            docker.note(
                    "the peer's name is known",
                    docker.attempt(web.execArguments("getent", "ahostsv4", peer.name()))
                            .exitCode());
        });
    }

    @ParameterizedTest
    @EnumSource(names = {"RUNC", "NEWER"})
    void itsHealthIsSeenAndItsVolumeStays(Which which) throws Exception {
        assertSame(podman(which), docker -> {
            String volume = docker.volume();
            Container container = docker.start(
                    "--volume=" + volume + ":/data",
                    "--health-cmd=test -e /data/ok",
                    "--health-interval=disable",
                    BUSYBOX,
                    "sleep",
                    "1000");
            docker.note(
                    "before",
                    docker.attempt("healthcheck", "run", container.name()).exitCode());
            container.exec("touch", "/data/ok");
            docker.note(
                    "after",
                    docker.attempt("healthcheck", "run", container.name()).exitCode());
            docker.quietly("rm", "--force", "--time=0", container.name());
            docker.run("--volume=" + volume + ":/data", BUSYBOX, "ls", "/data");
        });
    }

    @ParameterizedTest
    @EnumSource(names = {"RUNC", "NEWER"})
    void aPodOfOneContainerHasItsNetwork(Which which) throws Exception {
        assertSame(podman(which), docker -> {
            String pod = docker.name();
            docker.quietly("pod", "create", "--name=" + pod, "--hostname=of-the-pod");
            try {
                Container container = docker.start("--pod=" + pod, TOOLS, "sleep", "1000");
                container.exec("sh", "-c", "hostname; ls /sys/class/net; ip -o -4 addr show dev eth0 | wc -l");
                if (docker.runtime().equals(Settings.SUBJECT) && Settings.subjectIsVm()) {
                    Outcome second = docker.attempt(
                            "run", "--rm", "--runtime=" + docker.runtime(), "--pod=" + pod, TOOLS, "true");
                    assertThat(second.errors()).contains("one container of this pod can be a VM");
                }
            } finally {
                docker.quietly("pod", "rm", "--force", "--time=0", pod);
            }
        });
    }

    @Test
    void networksOfCniHaveAddressesAndPublishedPorts() throws Exception {
        assertSame(podman(Which.CNI), docker -> {
            String network = docker.network("--subnet", Subnets.ipv4(docker) + ".0/24");
            Container web = docker.start(
                    "--network",
                    network,
                    "--publish=80",
                    TOOLS,
                    "sh",
                    "-c",
                    "echo served >/index.html; exec python3 -u -m http.server --directory / 80");
            Container peer = docker.peer("--network", network, TOOLS, "sleep", "1000");
            String address = web.inspect("{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}");
            String gateway = web.inspect("{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}");
            String port = web.inspect("{{range .NetworkSettings.Ports}}{{(index . 0).HostPort}}{{end}}");
            docker.alias(address, "address");
            Deadline.await(
                    "the workload listens",
                    () -> docker.attempt(peer.execArguments("curl", "-sf", "http://" + address + "/index.html"))
                                    .exitCode()
                            == 0);
            docker.note(
                    "by the published port",
                    docker.attempt(peer.execArguments("curl", "-sS", "http://" + gateway + ":" + port + "/index.html"))
                            .text());
            web.exec("sh", "-c", "ip -o -4 addr show dev eth0 | awk '{print $4}'; ip route | grep -c default");
        });
    }

    @Test
    void whatIsMaskedLooksEmpty() throws Exception {
        assertSame(
                podman(Which.RUNC),
                docker -> docker.run(
                        "--security-opt",
                        "mask=/etc/passwd:/usr:/proc/version",
                        BUSYBOX,
                        "sh",
                        "-c",
                        "cat /etc/passwd /proc/version; ls -A /usr; echo x 2>/dev/null >/usr/x || echo refused"));
    }

    /** Podman 4.3 copies an image's annotations into the spec, also that of the manager, by which DKVM knows Podman. */
    @Test
    void anImageThatCallsItselfAPodsDoesNotRunWithoutAVm() throws Exception {
        onVm(podman(Which.RUNC), docker -> {
            for (String annotation :
                    List.of("io.kubernetes.cri.container-type=sandbox", "io.kubernetes.cri-o.ContainerType=sandbox")) {
                Outcome refused =
                        docker.attempt("run", "--rm", "--runtime=dkvm", pods(docker, annotation), "uname", "-r");
                assertThat(refused.exitCode()).describedAs(refused.toString()).isNotZero();
                assertThat(refused.errors()).contains("what holds a pod's namespaces can not be a VM");
                assertThat(refused.text()).isEmpty();
            }
            String container = pods(docker, "io.kubernetes.cri.container-type=container");
            assertThat(docker.run(container, "uname", "-r").text()).isNotEqualTo(Host.run("uname", "-r") + "\n");
        });
    }

    private static String pods(Docker docker, String annotation) throws Exception {
        return docker.image(
                "FROM localhost/" + BUSYBOX,
                "--format=oci",
                "--pull=never",
                "--annotation=" + annotation,
                "--annotation=io.container.manager=containerd",
                "--annotation=io.kubernetes.cri.sandbox-id=1",
                "--label=" + annotation);
    }
}
