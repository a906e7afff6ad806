// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Podman's pods of several containers: one VM each, whose infra container it is, in which the containers share what the pod shares. */
@EndToEnd
class PodmanPodsTest {
    enum Which {
        /** The machine's, 4.3. */
        MACHINES,
        /** The next Debian's, 5.4. */
        NEWER
    }

    private static final String FOREVER = "trap 'exit 7' TERM; echo ready; while :; do sleep 0.1; done";

    private static final SharedEngines<Which> ENGINES = new SharedEngines<>(
            Which.class,
            which ->
                    which == Which.MACHINES ? Engine.podman("runc", "netavark", BUSYBOX) : Engine.newerPodman(BUSYBOX));

    @AfterAll
    static void endOfTheEngines() throws IOException {
        ENGINES.close();
    }

    private interface Case {
        void play(Docker docker, String pod) throws Exception;
    }

    /** Plays a case with a pod of its side's runtime, of which nothing is left. */
    private static Differential.Scenario inPod(Case one, String... options) {
        return docker -> {
            String pod = docker.name();
            String[] create = new String[options.length + 4];
            System.arraycopy(options, 0, create, 4, options.length);
            create[0] = "--runtime=" + docker.runtime();
            create[1] = "pod";
            create[2] = "create";
            create[3] = "--name=" + pod;
            docker.quietly(create);
            try {
                one.play(docker, pod);
            } finally {
                docker.quietly("pod", "rm", "--force", "--time=0", pod);
            }
        };
    }

    /** Once Podman has taken it down. */
    private static String ended(Container container) throws Exception {
        Deadline.await(
                container.name() + " has ended",
                () -> container.inspect("{{.State.Status}}").equals("exited"));
        return container.inspect("{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}");
    }

    /** Localhost, shared memory, messages, the name, a volume with a FIFO; each has its files, limits, streams, processes and end. */
    @ParameterizedTest
    @EnumSource
    void containersOfAPodShareWhatItShares(Which which) throws Exception {
        assertSame(
                ENGINES.get(which),
                inPod(
                        (docker, pod) -> {
                            String volume = docker.volume();
                            docker.alias(pod, "pod");
                            Container web = docker.start(
                                    "--pod=" + pod,
                                    "--volume=" + volume + ":/v",
                                    BUSYBOX,
                                    "sh",
                                    "-c",
                                    "echo page >/index.html; httpd -h /; mkfifo /v/fifo; echo word >/dev/shm/word; cat /v/fifo & "
                                            + FOREVER);
                            web.awaitLog("ready");
                            Container side = docker.start(
                                    "--pod=" + pod,
                                    "--volume=" + volume + ":/v",
                                    "--memory=48m",
                                    "--interactive",
                                    BUSYBOX,
                                    "sh",
                                    "-c",
                                    "sleep 1 & " + FOREVER);
                            side.awaitLog("ready");
                            side.exec(
                                    "sh",
                                    "-c",
                                    "hostname; wget -qO- http://127.0.0.1/; cat /dev/shm/word; ls /index.html; ps | grep -c h[t]tpd; echo through >/v/fifo");
                            web.awaitLog("through");
                            web.exec(docker.stdin("typed").exits(9), "-i", "--", "sh", "-c", "cat; id -u; exit 9");
                            String port = docker.quietly(
                                    "pod",
                                    "inspect",
                                    "--format={{(index (index .InfraConfig.PortBindings \"80/tcp\") 0).HostPort}}",
                                    pod);
                            docker.note(
                                    "by the published port",
                                    docker.attempt(
                                                    "run",
                                                    "--rm",
                                                    "--network=host",
                                                    BUSYBOX,
                                                    "wget",
                                                    "-qO-",
                                                    "http://127.0.0.1:" + port + "/")
                                            .text());
                            // Its own limit, and its own end.
                            docker.note(
                                    "too much",
                                    side.exec(docker.exits(137), "tail", "/dev/zero")
                                            .exitCode());
                            Container ends = docker.start("--pod=" + pod, BUSYBOX, "sh", "-c", "echo said; exit 3");
                            ends.awaitEnd();
                            docker.note("ended", ended(ends) + " " + ends.log());
                            docker.quietly("restart", "--time=5", web.name());
                            Deadline.await(
                                    "it is ready again",
                                    () -> web.log().indexOf("ready") < web.log().lastIndexOf("ready"));
                            web.exec("sh", "-c", "cat /index.html; ls /v");
                            side.exec("true");
                            docker.quietly("pod", "stop", "--time=20", pod);
                            docker.note("stopped", ended(web) + ", " + ended(side));
                            docker.quietly("pod", "start", pod);
                            side.exec("hostname");
                        },
                        "--hostname=of-the-pod",
                        "--publish=127.0.0.1::80"));
    }

    /** Init containers before the others, a configuration, a directory that is there as long as the pod, what the host has, users, limits. */
    @ParameterizedTest
    @EnumSource
    void aManifestIsPlayedAndTakenDown(Which which) throws Exception {
        assertSame(ENGINES.get(which), docker -> {
            String name = docker.name();
            String text = MANIFEST.replace("NAME", name).replace("IMAGE", "localhost/" + BUSYBOX + ":latest");
            docker.alias(name, "pod");
            Outcome played = Running.complete(
                    docker.client("--runtime=" + docker.runtime(), "kube", "play", "-"), Bytes.of(text));
            assertThat(played.exitCode()).describedAs(played.toString()).isZero();
            try {
                Container web = new Container(docker, name + "-web", "");
                Container side = new Container(docker, name + "-side", "");
                side.awaitLog("ready");
                side.exec(
                        "sh",
                        "-c",
                        "id -u; hostname; wget -qO- http://127.0.0.1:8080/; cat /conf/greeting; touch /x; mount | grep -c ' /conf '");
                web.exec(
                        "sh",
                        "-c",
                        "ls /scratch; touch /scratch/x; cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes");
                docker.quietly("pod", "stop", "--time=20", name);
                docker.note("stopped", ended(side));
            } finally {
                Outcome down = Running.complete(docker.client("kube", "down", "-"), Bytes.of(text));
                assertThat(down.exitCode()).describedAs(down.toString()).isZero();
            }
            assertThat(docker.attempt("pod", "exists", name).exitCode()).isNotZero();
        });
    }

    private static final String MANIFEST = """
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: NAME-settings}
            data: {greeting: "hello"}
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: NAME}
            spec:
              restartPolicy: Never
              volumes:
              - {name: NAME-scratch, emptyDir: {}}
              - {name: conf, configMap: {name: NAME-settings}}
              initContainers:
              - name: prepare
                image: IMAGE
                command: [sh, -c, "cat /conf/greeting >/scratch/index.html; echo ' of init' >>/scratch/index.html"]
                volumeMounts: [{name: NAME-scratch, mountPath: /scratch}, {name: conf, mountPath: /conf}]
              containers:
              - name: web
                image: IMAGE
                command: [httpd, -f, -p, "8080", -h, /scratch]
                resources: {limits: {memory: 64Mi}}
                volumeMounts: [{name: NAME-scratch, mountPath: /scratch, readOnly: true}]
              - name: side
                image: IMAGE
                command: [sh, -c, "trap 'exit 7' TERM; until wget -qO- http://127.0.0.1:8080/ >/dev/null; do sleep 0.1; done; echo ready; while :; do sleep 0.1; done"]
                securityContext: {runAsUser: 1000, readOnlyRootFilesystem: true}
                volumeMounts: [{name: NAME-scratch, mountPath: /scratch}, {name: conf, mountPath: /conf}]
            """;

    /** IPC and names of each container's own, in one network; and one PID namespace. */
    @Test
    void whatAPodDoesNotShareIsEachContainersOwn() throws Exception {
        Case shared = (docker, pod) -> {
            Container one = docker.start(
                    "--pod=" + pod,
                    "--hostname=one",
                    BUSYBOX,
                    "sh",
                    "-c",
                    "echo one >/dev/shm/word; sleep 1001 & " + FOREVER);
            one.awaitLog("ready");
            Container two = docker.start("--pod=" + pod, "--hostname=two", BUSYBOX, "sh", "-c", FOREVER);
            two.awaitLog("ready");
            for (Container each : new Container[] {one, two}) {
                each.exec(
                        "sh",
                        "-c",
                        "hostname; ls /dev/shm; cat /proc/1/comm | grep -c sh; ps | grep -c 'root *s[l]eep 1001'");
            }
        };
        assertSame(ENGINES.get(Which.MACHINES), inPod(shared, "--share=net,pid"));
    }

    @Test
    void whatAVmCanNotHaveOfAPodIsRefused() throws Exception {
        onVm(ENGINES.get(Which.MACHINES), docker -> {
            inPod(
                            (side, pod) -> {
                                Outcome own =
                                        side.attempt("run", "--rm", "--runtime=dkvm", "--pod=" + pod, BUSYBOX, "true");
                                assertThat(own.errors()).contains("does not have the pod's network");
                            },
                            "--share=ipc")
                    .play(docker);
            inPod((side, pod) -> {
                        Outcome option = side.attempt(
                                "run",
                                "--rm",
                                "--runtime=dkvm",
                                "--pod=" + pod,
                                "--env=DKVM_KERNEL=debian",
                                BUSYBOX,
                                "true");
                        assertThat(option.errors()).contains("\"DKVM_KERNEL\" of a pod's container", "--infra-image");
                        Container one = side.start("--pod=" + pod, BUSYBOX, "sleep", "1000");
                        assertThat(side.attempt("pause", one.name()).errors()).contains("can not be paused");
                        one.exec("true");
                        // One that only says that it is of this pod joins it for no such word.
                        String infra = side.quietly("pod", "inspect", "--format={{.InfraContainerID}}", pod);
                        String liar = side.image(
                                "FROM localhost/" + BUSYBOX,
                                "--format=oci",
                                "--pull=never",
                                "--annotation=io.kubernetes.cri-o.ContainerType=container",
                                "--annotation=io.kubernetes.cri-o.SandboxID=" + infra);
                        assertThat(side.run(liar, "cat", "/proc/sys/kernel/random/boot_id")
                                        .text())
                                .isNotEqualTo(one.exec("cat", "/proc/sys/kernel/random/boot_id")
                                        .text());
                        assertThat(Path.of("/run/dkvm/vms", infra, "pod/plans"))
                                .isDirectoryNotContaining("glob:**4.json");
                        try (var plans =
                                Files.newDirectoryStream(Path.of("/run/dkvm/vms", infra, "pod/plans"), "*.json")) {
                            assertThat(plans).hasSize(1);
                        }
                    })
                    .play(docker);
            Outcome small =
                    docker.attempt("--runtime=dkvm", "pod", "create", "--name=" + docker.name(), "--memory=100m");
            String pod = docker.quietly("pod", "ps", "--quiet", "--no-trunc", "--filter=id=" + small.text());
            try {
                assertThat(docker.attempt("pod", "start", pod).errors())
                        .contains("the pod's memory limit of 100 MiB is too small for a VM");
            } finally {
                docker.quietly("pod", "rm", "--force", pod);
            }
        });
    }
}
