// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * Pods of three containers, several at once, whose containers are restarted at random, in every way that one can end. The others of its pod do not
 * notice, no exit code is wrong, nothing is left. {@code make soak-pods} runs it for minutes.
 */
@EndToEnd
@Isolated
class PodSoakTest {
    private static final String WORKLOAD =
            "trap 'exit 9' TERM; trap 'exit 7' USR1; echo ready; while :; do sleep 0.1; done";
    private static final int CONTAINERS = 3;
    private static final long MEMORY = 48 << 20;

    /** How the one that is restarted ends. */
    private enum End {
        BY_ITSELF,
        STOPPED,
        KILLED,
        OUT_OF_MEMORY,
        CLIENT_DIES,
        QEMU_DIES,
        POD_ENDS
    }

    /** A pod's containers, by their places. */
    private static final class Lives {
        private final Containerd containerd;
        private final KubernetesPod pod;
        private final List<String> containers = new ArrayList<>();
        private final List<String> names = new ArrayList<>();
        private int count;

        Lives(Containerd containerd) throws Exception {
            this.containerd = containerd;
            pod = new KubernetesPod(containerd, Settings.SUBJECT, KubernetesPod.OF_ITS_OWN);
            for (int i = 0; i < CONTAINERS; i++) {
                containers.add("");
                names.add("");
                start(i);
            }
        }

        void start(int place) throws Exception {
            String name = "c" + count++;
            String id = pod.create(name, WORKLOAD, Map.of(), MEMORY);
            containerd.cri("StartContainer", "{\"container_id\":\"%s\"}".formatted(id));
            containers.set(place, id);
            names.set(place, name);
            Deadline.await("\"" + name + "\" is ready", () -> pod.log(name).contains("ready"));
        }

        /** Waits for a container's end, and takes it away; its state, exit code and reason. */
        String ended(int place) throws Exception {
            String container = containers.get(place);
            Deadline.await("\"" + names.get(place) + "\" ends", () -> pod.hasEnded(container));
            String status = pod.status(container);
            assertThat(pod.ask("RemoveContainer", container).exitCode()).isZero();
            return status;
        }

        /** What runs on the host for a container, or for the pause container. */
        ProcessHandle first(String container) throws Exception {
            Path file = containerd
                    .directory()
                    .resolve("state/io.containerd.runtime.v2.task/k8s.io/" + container + "/init.pid");
            return ProcessHandle.of(Long.parseLong(Files.readString(file).strip()))
                    .orElseThrow();
        }
    }

    @Test
    void containersOfPodsAreRestartedAndNothingIsLeft() throws Exception {
        try (Containerd containerd = Containerd.start()) {
            new Lives(containerd).pod.close();
            HostUse before = HostUse.now();
            System.out.println("soak: " + Settings.SOAK_PODS + " pods at once for " + Settings.SOAK_TIME.toSeconds()
                    + " s, seed " + Settings.SOAK_SEED);
            Map<End, Integer> tally = new ConcurrentSkipListMap<>();
            ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
            long end = System.nanoTime() + Settings.SOAK_TIME.toNanos();
            List<Thread> players = new ArrayList<>();
            for (int i = 0; i < Settings.SOAK_PODS; i++) {
                int player = i;
                players.add(Thread.ofPlatform()
                        .name("soak-" + i)
                        .start(() -> play(containerd, player, end, tally, failures)));
            }
            for (Thread player : players) {
                player.join();
            }
            HostUse after = HostUse.settled(before);
            System.out.println("soak: restarts " + tally + "; " + failures.size() + " failures; before " + before
                    + ", after " + after);
            failures.forEach(failure -> System.out.println("soak: failure: " + failure.getMessage()));
            assertThat(failures).isEmpty();
            assertThat(tally.values().stream().mapToInt(Integer::intValue).sum())
                    .isGreaterThanOrEqualTo(Settings.SOAK_PODS);
            after.assertNoMoreThan(before);
        }
    }

    private static void play(
            Containerd containerd,
            int player,
            long end,
            Map<End, Integer> tally,
            ConcurrentLinkedQueue<Throwable> failures) {
        Random random = new Random(Settings.SOAK_SEED + player);
        End[] ends = End.values();
        Lives lives = null;
        // Every way to end comes up, also in a short soak.
        int next = player;
        try {
            do {
                End way = ends[next++ % ends.length];
                try {
                    if (lives == null) {
                        lives = new Lives(containerd);
                    }
                    if (round(lives, random, way)) {
                        lives = null;
                    }
                    tally.merge(way, 1, Integer::sum);
                } catch (Throwable e) {
                    failures.add(new AssertionError(way + ": " + e.getMessage(), e));
                }
            } while (System.nanoTime() < end);
            if (lives != null) {
                lives.pod.close();
            }
        } catch (Throwable e) {
            failures.add(e);
        }
    }

    /** Ends a container, looks whether the others live on, and starts it anew; whether the pod is gone. */
    private static boolean round(Lives lives, Random random, End way) throws Exception {
        int place = random.nextInt(CONTAINERS);
        String container = lives.containers.get(place);
        switch (way) {
            case BY_ITSELF -> {
                lives.pod.exec(container, "kill -USR1 1");
                assertThat(lives.ended(place)).startsWith("2 7 ");
            }
            case STOPPED -> {
                lives.pod.stop(container, (int) Settings.DEADLINE.toSeconds());
                assertThat(lives.ended(place)).startsWith("2 9 ");
            }
            case KILLED -> {
                lives.pod.stop(container, 0);
                assertThat(lives.ended(place)).startsWith("2 137 ");
            }
            case OUT_OF_MEMORY -> {
                String said = lives.pod.exec(container, "x=$(head -c 200000000 /dev/zero | tr '\\\\0' a); echo $?");
                assertThat(said).as("more memory than the container may have").doesNotStartWith("0");
                lives.pod.stop(container, 0);
                lives.ended(place);
            }
            case CLIENT_DIES -> {
                assertThat(lives.first(container).destroyForcibly()).isTrue();
                assertThat(lives.ended(place)).startsWith("2 137 ");
            }
            case QEMU_DIES -> {
                ProcessHandle qemu = lives.first(lives.pod.id())
                        .descendants()
                        .filter(process -> name(process).startsWith("qemu-system"))
                        .findFirst()
                        .orElseThrow();
                assertThat(qemu.destroyForcibly()).isTrue();
                for (int i = 0; i < CONTAINERS; i++) {
                    assertThat(lives.ended(i)).startsWith("2 ").doesNotStartWith("2 0");
                }
                lives.pod.close();
                return true;
            }
            case POD_ENDS -> {
                lives.pod.close();
                return true;
            }
        }
        String other = lives.containers.get((place + 1) % CONTAINERS);
        assertThat(lives.pod.exec(other, "echo lives on")).isEqualTo("lives on\n=0");
        lives.start(place);
        return false;
    }

    private static String name(ProcessHandle process) {
        try {
            return Files.readString(Path.of("/proc/" + process.pid() + "/comm"));
        } catch (IOException e) {
            return "";
        }
    }
}
