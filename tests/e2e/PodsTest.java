// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** Pods of several containers: one VM each, in which the containers share what those of a pod share, and nothing else. */
@EndToEnd
@Execution(ExecutionMode.SAME_THREAD) // what is left of one is looked for on the host
class PodsTest {
    private static final Path VMS = Path.of("/run/dkvm/vms");
    private static final String FOREVER = "trap 'exit 7' TERM; echo ready; while :; do sleep 0.1; done";

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

    @AfterEach
    void nothingIsLeft() throws Exception {
        assertThat(containerd.interfaces()).doesNotContain("veth");
        assertThat(containerd.ctr("-n", "k8s.io", "container", "ls", "-q").text())
                .isEmpty();
        assertThat(Files.readString(Path.of("/proc/self/mountinfo"))).doesNotContain("/pod/share");
    }

    private interface Case {
        List<String> play(String runtime) throws Exception;
    }

    private static void assertSame(Case one) throws Exception {
        List<String> reference = one.play(Settings.REFERENCE);
        List<String> subject = one.play(Settings.SUBJECT);
        assertThat(subject).isEqualTo(reference);
    }

    private static Path volume(String name, String runtime) throws Exception {
        return Files.createDirectories(containerd
                .directory()
                .resolve("kubelet-" + runtime + "/pods/uid/volumes/kubernetes.io~empty-dir/" + name));
    }

    private static void await(KubernetesPod pod, String name, String said) throws Exception {
        Deadline.await(
                "\"" + name + "\" says \"" + said + "\"", () -> pod.log(name).contains(said));
    }

    @Test
    void containersOfAPodShareWhatAPodShares() throws Exception {
        assertSame(runtime -> {
            List<String> seen = new ArrayList<>();
            Path volume = volume("shared", runtime);
            KubernetesPod pod = new KubernetesPod(
                    containerd, runtime, KubernetesPod.OF_ITS_OWN, KubernetesPod.OF_THE_CONTAINER, 512 << 20);
            try {
                String web = pod.start(
                        "web",
                        "echo page >/index.html; httpd -h /; mkfifo /v/fifo; echo of web >/dev/shm/word; cat /v/fifo & "
                                + FOREVER,
                        Map.of("/v", volume));
                await(pod, "web", "ready");
                String side = pod.start("side", FOREVER, Map.of("/w:ro", volume, "/v", volume));
                await(pod, "side", "ready");
                seen.add(pod.exec(side, "hostname; wget -qO- http://127.0.0.1/; cat /dev/shm/word; ls /index.html"));
                seen.add(pod.exec(side, "echo through >/v/fifo; touch /w/x"));
                seen.add(pod.exec(side, "cat /proc/1/comm; ps | grep -c h[t]tpd"));
                seen.add(pod.exec(web, "cat /proc/1/comm; id -u; echo of web >&2; exit 9"));
                seen.add(pod.exec(web, "grep -c ' /proc/sys .*[ ,]ro[ ,]' /proc/mounts"));
                // Less than a whole VM's, as neighbours are there; making devices is not among them.
                seen.add(pod.exec(web, "grep -h CapEff /proc/1/status /proc/self/status")
                        .replace("a00425fb", "a80425fb"));
                seen.add(containerd.fetch("http://" + pod.address() + "/"));
                pod.stop(web, 60);
                seen.add(pod.status(web));
                seen.add(pod.exec(side, "echo goes on; ls /v"));
                seen.add(pod.said("web"));
                pod.stop(side, 60);
                seen.add(pod.status(side));
            } finally {
                pod.close();
            }
            return seen;
        });
    }

    /** One filesystem of it in the guest, and one lock on the host. */
    @Test
    void locksOfAVolumeHoldBetweenTheContainersOfAPod() throws Exception {
        containerd.bring("dkvm-test/debian");
        assertSame(runtime -> {
            List<String> seen = new ArrayList<>();
            Path volume = volume("locks", runtime);
            KubernetesPod pod =
                    new KubernetesPod(containerd, runtime, KubernetesPod.OF_ITS_OWN).with("dkvm-test/debian");
            try {
                pod.start(
                        "holds",
                        "exec 9>/v/lock; flock 9; echo ready; until [ -e /v/go ]; do sleep 0.1; done; flock -u 9; "
                                + FOREVER,
                        Map.of("/v", volume));
                await(pod, "holds", "ready");
                String asks = pod.start("asks", FOREVER, Map.of("/v", volume));
                await(pod, "asks", "ready");
                seen.add(pod.exec(asks, "flock -n /v/lock echo wrong"));
                seen.add("host "
                        + Running.complete(List.of("flock", "-n", volume + "/lock", "true"), Bytes.of(""))
                                .exitCode());
                seen.add(pod.exec(asks, "touch /v/go; flock /v/lock echo taken"));
            } finally {
                pod.close();
            }
            return seen;
        });
    }

    @Test
    void aContainerStartsAgainAndAgainAndLeavesNothing() throws Exception {
        KubernetesPod pod = new KubernetesPod(containerd, "dkvm", KubernetesPod.OF_ITS_OWN);
        try {
            Path volume = volume("again", "dkvm");
            String stays = pod.start("stays", FOREVER, Map.of("/v", volume));
            await(pod, "stays", "ready");
            long mounts = 0;
            String inside = "";
            for (int i = 0; i < 12; i++) {
                String name = "again" + i;
                String container = pod.start(
                        name, "echo run " + i + " >>/v/runs; wc -l </v/runs; exit " + i, Map.of("/v", volume));
                Deadline.await(name + " ends", () -> pod.hasEnded(container));
                assertThat(pod.status(container)).startsWith("2 " + i);
                assertThat(pod.said(name)).contains("stdout F " + (i + 1));
                pod.ask("RemoveContainer", container);
                String used = pod.exec(stays, "grep -c . /proc/1/mountinfo; ls /sys/fs/cgroup | grep -c container-");
                if (i == 1) {
                    mounts = mounts(pod);
                    inside = used;
                }
            }
            assertThat(mounts(pod)).isEqualTo(mounts);
            assertThat(pod.exec(stays, "grep -c . /proc/1/mountinfo; ls /sys/fs/cgroup | grep -c container-"))
                    .isEqualTo(inside);
            assertThat(VMS.resolve(pod.id()).resolve("pod/plans")).isDirectoryContaining("glob:**2.json");
            try (var plans = Files.list(VMS.resolve(pod.id()).resolve("pod/plans"))) {
                assertThat(plans).hasSize(1);
            }
        } finally {
            pod.close();
        }
    }

    private static long mounts(KubernetesPod pod) throws Exception {
        try (var lines = Files.lines(Path.of("/proc/self/mountinfo"))) {
            return lines.filter(line -> line.contains("/" + pod.id() + "/pod/share"))
                    .count();
        }
    }

    @Test
    void aContainersLimitsAreItsOwnAndItsEndIsNobodyElses() throws Exception {
        assertSame(runtime -> {
            List<String> seen = new ArrayList<>();
            KubernetesPod pod = new KubernetesPod(containerd, runtime, KubernetesPod.OF_ITS_OWN);
            try {
                String stays = pod.start("stays", FOREVER, Map.of());
                await(pod, "stays", "ready");
                String eats = pod.create(
                        "eats",
                        "echo begins; head -c 120m /dev/zero | tail >/dev/null; echo $?; exec tail /dev/zero",
                        Map.of(),
                        48 << 20);
                pod.ask("StartContainer", eats);
                Deadline.await("it has eaten too much", () -> pod.hasEnded(eats));
                seen.add(pod.status(eats).replaceFirst(" .*", ""));
                seen.add(pod.said("eats").replaceAll("Killed\\s*", ""));
                String killed = pod.start("killed", FOREVER, Map.of());
                await(pod, "killed", "ready");
                pod.stop(killed, 0);
                seen.add(pod.status(killed));
                seen.add(pod.exec(stays, "echo goes on"));
                String missing = pod.create("missing", "true", Map.of(), KubernetesPod.MEMORY);
                seen.add("created " + !missing.isEmpty());
            } finally {
                pod.close();
            }
            return seen;
        });
    }

    @Test
    void processesOfAPodAreSharedWhereItSaysSo() throws Exception {
        assertSame(runtime -> {
            List<String> seen = new ArrayList<>();
            KubernetesPod pod =
                    new KubernetesPod(containerd, runtime, KubernetesPod.OF_ITS_OWN, KubernetesPod.OF_ITS_OWN, 0);
            try {
                String one = pod.start("one", "sleep 1001 & " + FOREVER, Map.of());
                await(pod, "one", "ready");
                String two = pod.start("two", FOREVER, Map.of());
                await(pod, "two", "ready");
                seen.add(pod.exec(two, "cat /proc/1/comm; ps | grep -c s[l]eep.1001"));
                seen.add(pod.exec(two, "kill $(ps | grep s[l]eep.1001 | grep -v sh | awk '{print $1}'); echo $?"));
                pod.stop(one, 60);
                seen.add(pod.status(one));
                seen.add(pod.exec(two, "ps | grep -c s[l]eep.1001"));
            } finally {
                pod.close();
            }
            return seen;
        });
    }

    @Test
    void aVmThatIsLostTakesItsContainersAlongAndLeavesNothing() throws Exception {
        KubernetesPod pod = new KubernetesPod(containerd, "dkvm", KubernetesPod.OF_ITS_OWN);
        try {
            String one = pod.start("one", FOREVER, Map.of());
            String two = pod.start("two", FOREVER, Map.of());
            await(pod, "one", "ready");
            await(pod, "two", "ready");
            Host.run(
                    "sh",
                    "-c",
                    "for p in $(pgrep -f qemu-system-x86_64); do grep -q " + pod.id()
                            + " /proc/$p/cgroup && kill -9 $p; done; true");
            Deadline.await("both have ended", () -> pod.hasEnded(one) && pod.hasEnded(two));
            assertThat(pod.status(one)).matches("2 (137|255).*");
            assertThat(pod.status(two)).matches("2 (137|255).*");
        } finally {
            pod.close();
        }
    }
}
