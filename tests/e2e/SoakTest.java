// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * Many small VMs at once, and at random: runs, sessions, pauses, restarts, stops, kills of the container and of each process of its
 * sandbox. No exit code is wrong, no client hangs, nothing is left. {@code make soak} runs it for minutes.
 */
@EndToEnd
@Isolated
class SoakTest {
    private static final String WORKLOAD = "trap 'exit 9' TERM; echo ready; while :; do sleep 0.1; done";
    /** What a round does in the end with the VM it started. */
    private enum End {
        /** A run in the foreground ends by itself. */
        RUN,
        STOP,
        KILL,
        REMOVE,
        QEMU_DIES,
        VIRTIOFSD_DIES,
        MONITOR_DIES,
        INIT_DIES
    }

    /** Counts what was done. */
    private static final class Tally {
        private final Map<End, Integer> ends = new ConcurrentSkipListMap<>();
        private final AtomicInteger sessions = new AtomicInteger();
        private final AtomicInteger restarts = new AtomicInteger();
        private final AtomicInteger pauses = new AtomicInteger();

        int rounds() {
            return ends.values().stream().mapToInt(Integer::intValue).sum();
        }
    }

    @Test
    void randomLivesEndAsTheyShouldAndLeaveNothing() throws Exception {
        onVm(docker -> {
            // The engine keeps what it made for its first container.
            docker.run("--memory", "64m", BUSYBOX, "true");
            // Its own processes may still be there: not more than before is what counts.
            HostUse before = HostUse.now();
            long seed = Settings.SOAK_SEED;
            System.out.println("soak: " + Settings.SOAK_VMS + " VMs at once for " + Settings.SOAK_TIME.toSeconds()
                    + " s, seed " + seed);
            Tally tally = new Tally();
            ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
            long end = System.nanoTime() + Settings.SOAK_TIME.toNanos();
            List<Thread> players = new ArrayList<>();
            for (int i = 0; i < Settings.SOAK_VMS; i++) {
                Random random = new Random(seed + i);
                players.add(
                        Thread.ofPlatform().name("soak-" + i).start(() -> play(docker, random, end, tally, failures)));
            }
            for (Thread player : players) {
                player.join();
            }
            HostUse after = HostUse.settled(before);
            System.out.println("soak: " + tally.rounds() + " VMs " + tally.ends + ", " + tally.sessions
                    + " exec sessions, " + tally.restarts + " restarts, " + tally.pauses + " pauses; " + failures.size()
                    + " failures; before " + before + ", after " + after);
            failures.forEach(failure -> System.out.println("soak: failure: " + failure.getMessage()));
            assertThat(failures).isEmpty();
            assertThat(tally.rounds()).isGreaterThanOrEqualTo(Settings.SOAK_VMS);
            after.assertNoMoreThan(before);
        });
    }

    private static void play(
            Docker docker, Random random, long end, Tally tally, ConcurrentLinkedQueue<Throwable> failures) {
        End[] ends = End.values();
        // Every way to end comes up, also in a short soak.
        int next = random.nextInt(ends.length);
        while (System.nanoTime() < end) {
            End way = ends[next++ % ends.length];
            try {
                round(docker, random, way, tally);
                tally.ends.merge(way, 1, Integer::sum);
            } catch (Throwable e) {
                failures.add(new AssertionError(way + ": " + e.getMessage(), e));
            }
        }
    }

    private static void round(Docker docker, Random random, End way, Tally tally) throws Exception {
        if (way == End.RUN) {
            int code = random.nextInt(120);
            Outcome outcome = Running.complete(
                    docker.runCommand(docker.name(), "--memory", "64m", BUSYBOX, "sh", "-c", "cat; exit " + code),
                    Bytes.of("in"));
            assertThat(outcome.exitCode())
                    .as("exit code of a run, which said " + outcome)
                    .isEqualTo(code);
            return;
        }
        Container container = docker.start("--memory", "64m", BUSYBOX, "sh", "-c", WORKLOAD);
        boolean ready = random.nextInt(4) > 0;
        try {
            if (ready) {
                container.awaitLog("ready");
                live(docker, container, random, tally);
            }
            end(docker, container, way, ready);
        } finally {
            // One that failed is not to be in the others' way, nor in the count of what is left.
            docker.attempt("rm", "-f", container.name());
        }
    }

    /** Some of what one does with a container that runs. */
    private static void live(Docker docker, Container container, Random random, Tally tally) throws Exception {
        for (int i = random.nextInt(4); i > 0; i--) {
            switch (random.nextInt(4)) {
                case 0 -> {
                    docker.quietly("pause", container.name());
                    docker.quietly("unpause", container.name());
                    tally.pauses.incrementAndGet();
                }
                case 1 -> {
                    int runs = count(container.log());
                    docker.quietly("restart", "-t", String.valueOf(Settings.DEADLINE.toSeconds()), container.name());
                    Deadline.await("the restart", () -> count(container.log()) > runs);
                    tally.restarts.incrementAndGet();
                }
                default -> {
                    int code = random.nextInt(120);
                    String word = "w" + random.nextInt();
                    Outcome outcome = docker.attempt(container.execArguments(
                            "sh", "-c", "echo " + word + "; echo " + word + " >&2; exit " + code));
                    assertThat(outcome.exitCode())
                            .as("exit code of a session, which said " + outcome)
                            .isEqualTo(code);
                    assertThat(outcome.text()).isEqualTo(word);
                    assertThat(outcome.errors()).isEqualTo(word);
                    tally.sessions.incrementAndGet();
                }
            }
        }
    }

    private static int count(String log) {
        return log.split("ready", -1).length - 1;
    }

    private static void end(Docker docker, Container container, End way, boolean ready) throws Exception {
        switch (way) {
            case STOP -> {
                // A workload without its handler yet does not hear the signal, as the first process of any container.
                long seconds = ready ? Settings.DEADLINE.toSeconds() : 2;
                docker.quietly("stop", "-t", String.valueOf(seconds), container.name());
                if (ready) {
                    assertThat(exitCode(container)).isEqualTo(9);
                }
            }
            case KILL -> {
                docker.quietly("kill", container.name());
                container.awaitEnd();
                assertThat(exitCode(container)).isEqualTo(137);
            }
            case QEMU_DIES -> dies(container, "qemu-system-x86");
            case VIRTIOFSD_DIES -> dies(container, "virtiofsd");
            case MONITOR_DIES -> dies(container, "dkvm-monitor");
            case INIT_DIES -> dies(container, "dkvm-init");
            case RUN, REMOVE -> {}
        }
        docker.quietly("rm", "-f", container.name());
        Sandbox.assertNothingLeft(container.id());
    }

    private static void dies(Container container, String program) throws Exception {
        Sandbox sandbox = Sandbox.of(container).orElseThrow();
        OptionalLong pid = sandbox.await(program);
        Running.complete(List.of("/bin/kill", "-KILL", String.valueOf(pid.orElseThrow())), Bytes.of(""));
        container.awaitEnd();
        assertThat(exitCode(container))
                .as("exit code after the end of " + program)
                .isNotZero();
    }

    private static int exitCode(Container container) throws Exception {
        return Integer.parseInt(container.inspect("{{.State.ExitCode}}"));
    }
}
