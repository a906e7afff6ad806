// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** What containerd does for its containers and pods it does for VMs, asked by ctr(1) and as a kubelet asks. */
@EndToEnd
@Execution(ExecutionMode.SAME_THREAD) // what is left of one is looked for in the list of all
class ContainerdTest {
    private static Containerd containerd;

    @BeforeAll
    static void start() throws Exception {
        containerd = Containerd.start();
    }

    @AfterAll
    static void end() throws Exception {
        if (containerd != null) {
            containerd.close();
        }
    }

    @Test
    void ctrRunsAProgramToItsEnd() throws Exception {
        assertSame(runtime -> {
            Path volume = Files.createDirectories(containerd.directory().resolve("v-" + runtime));
            Files.writeString(volume.resolve("f"), "data\n");
            Outcome run = containerd.ctr(
                    "run",
                    "--rm",
                    "--snapshotter=native",
                    "--runc-binary=" + Containerd.binary(runtime),
                    "--read-only",
                    "--env=A=b",
                    "--cwd=/v",
                    "--mount=type=bind,src=" + volume + ",dst=/v,options=rbind:ro",
                    Containerd.BUSYBOX,
                    "run-" + runtime,
                    "sh",
                    "-c",
                    "cat f; id; pwd; echo $A; hostname; touch /x || echo err >&2; exit 42");
            assertThat(run.exitCode()).describedAs(run.toString()).isEqualTo(42);
            return List.of(run.toString());
        });
    }

    @Test
    void ctrEntersPausesSignalsAndDeletes() throws Exception {
        assertSame(runtime -> {
            String name = "task-" + runtime;
            List<String> seen = new ArrayList<>();
            Outcome run = containerd.ctr(
                    "run",
                    "--detach",
                    "--snapshotter=native",
                    "--runc-binary=" + Containerd.binary(runtime),
                    Containerd.BUSYBOX,
                    name,
                    "sh",
                    "-c",
                    "trap 'exit 7' USR1; touch /up; while :; do sleep 0.1; done");
            assertThat(run.exitCode()).describedAs(run.toString()).isZero();
            try {
                Outcome exec = containerd.ctr(
                        "task",
                        "exec",
                        "--exec-id=e",
                        name,
                        "sh",
                        "-c",
                        "until [ -e /up ]; do sleep 0.1; done; [ $(cat /proc/1/comm) = sh ] && exit 5");
                assertThat(exec.exitCode()).describedAs(exec.toString()).isEqualTo(5);
                // Not what it prints: ctr may end before it has read that, under runc too.
                seen.add("pause " + containerd.ctr("task", "pause", name).exitCode() + state(name));
                seen.add("resume " + containerd.ctr("task", "resume", name).exitCode() + state(name));
                seen.add("metrics " + containerd.ctr("task", "metrics", name).exitCode());
                seen.add("kill "
                        + containerd.ctr("task", "kill", "-s", "USR1", name).exitCode());
                Deadline.await("the task ends", () -> state(name).contains("STOPPED"));
                seen.add("delete " + containerd.ctr("task", "delete", name).exitCode());
            } finally {
                containerd.ctr("task", "delete", "--force", name);
                seen.add("remove " + containerd.ctr("container", "delete", name).exitCode());
            }
            return seen;
        });
        assertThat(containerd.ctr("container", "ls", "-q").text()).isEmpty();
    }

    @Test
    void aPodOfOneContainerIsServedStartedAgainAndTakenAway() throws Exception {
        assertSame(runtime -> {
            KubernetesPod pod = new KubernetesPod(containerd, runtime, KubernetesPod.OF_ITS_OWN);
            List<String> seen = new ArrayList<>();
            try {
                // The second one finds the pod's network as the first one left it.
                for (String name : List.of("first", "second")) {
                    String container = pod.create(
                            name,
                            "hostname | tee /index.html; httpd -h /; trap 'exit 5' TERM; echo ready; while :; do sleep 0.1; done");
                    pod.ask("StartContainer", container);
                    Deadline.await("the container is ready", () -> pod.log(name).contains("ready"));
                    seen.add(pod.log(name).replaceAll("(?m)^\\S+ ", ""));
                    seen.add(containerd.fetch("http://" + pod.address() + "/"));
                    JsonObject exec = containerd.cri(
                            "ExecSync",
                            "{\"container_id\":\"%s\",\"cmd\":[\"sh\",\"-c\",\"hostname; cat /sys/class/net/eth0/mtu; echo e >&2; exit 3\"],\"timeout\":60}"
                                    .formatted(container));
                    assertThat(exec.get("exit_code").getAsInt()).isEqualTo(3);
                    seen.add(exec.toString());
                    containerd.cri("StopContainer", "{\"container_id\":\"%s\",\"timeout\":60}".formatted(container));
                    seen.add(containerd
                            .cri("ContainerStatus", "{\"container_id\":\"%s\"}".formatted(container))
                            .getAsJsonObject("status")
                            .get("exit_code")
                            .toString());
                    pod.ask("RemoveContainer", container);
                }
            } finally {
                pod.close();
            }
            return seen;
        });
        assertThat(containerd.interfaces()).doesNotContain("veth");
        assertThat(containerd.ctr("-n", "k8s.io", "container", "ls", "-q").text())
                .isEmpty();
    }

    @Test
    void aPodOnTheNodesNetworkIsServedThereAndGetsMoreMemory() throws Exception {
        assertSame(runtime -> {
            KubernetesPod pod = new KubernetesPod(containerd, runtime, KubernetesPod.OF_THE_NODE);
            List<String> seen = new ArrayList<>();
            try {
                String container =
                        pod.create("one", "echo of the node >/index.html; exec httpd -f -h / -p 127.0.0.1:8123");
                assertThat(pod.ask("StartContainer", container).exitCode()).isZero();
                Deadline.await(
                        "the container listens",
                        () -> containerd.tryFetch("http://127.0.0.1:8123/").exitCode() == 0);
                seen.add(containerd.fetch("http://127.0.0.1:8123/"));
                containerd.cri(
                        "UpdateContainerResources",
                        "{\"container_id\":\"%s\",\"linux\":{\"cpu_period\":100000,\"cpu_quota\":50000,\"memory_limit_in_bytes\":%d}}"
                                .formatted(container, KubernetesPod.MEMORY * 2));
                if ("dkvm".equals(runtime)) {
                    assertThat(pod.exec(container, "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max"))
                            .isEqualTo(KubernetesPod.MEMORY * 2 + "\n50000 100000\n=0");
                    String total = pod.exec(container, "awk '/MemTotal/ {print $2}' /proc/meminfo")
                            .lines()
                            .findFirst()
                            .orElse("0");
                    // With what the guest's kernel has for itself; it was less than the container may have now.
                    assertThat(Long.parseLong(total) * 1024)
                            .isBetween(KubernetesPod.MEMORY * 2, KubernetesPod.MEMORY * 2 + (48 << 20));
                }
                containerd.cri("StopContainer", "{\"container_id\":\"%s\",\"timeout\":0}".formatted(container));
                pod.ask("RemoveContainer", container);
            } finally {
                pod.close();
            }
            return seen;
        });
    }

    private interface Case {
        List<String> play(String runtime) throws Exception;
    }

    private static void assertSame(Case one) throws Exception {
        List<String> reference = one.play(Settings.REFERENCE);
        List<String> subject = one.play(Settings.SUBJECT);
        assertThat(plain(subject, Settings.SUBJECT)).isEqualTo(plain(reference, Settings.REFERENCE));
    }

    private static List<String> plain(List<String> seen, String runtime) {
        return seen.stream().map(text -> text.replace("-" + runtime, "-{side}")).toList();
    }

    private static String state(String task) throws IOException, InterruptedException {
        return containerd
                .ctr("task", "ls")
                .text()
                .lines()
                .filter(line -> line.startsWith(task + " "))
                .map(line -> line.replaceAll(".* ", " "))
                .findFirst()
                .orElse(" none");
    }
}
