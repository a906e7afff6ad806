// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Many sessions, some at once: every byte and every code is right, and neither the monitor nor the guest grows. */
@EndToEnd
class ExecSoakTest {
    private static final int SESSIONS = Settings.SOAK_SESSIONS;
    private static final int AT_ONCE = 5;
    private static final int LARGEST = 1 << 20;
    /** The guest's kernel counts files and tasks per processor, and starts workers as it likes. */
    private static final int GUEST_NOISE = 64;

    @Test
    void sessionsOfAllKindsLeaveNothingBehind() throws Exception {
        onVm(docker -> {
            Container container = docker.start("--memory", "64m", BUSYBOX, "sleep", "100000");
            container.exec("true");
            long monitor =
                    Sandbox.of(container).orElseThrow().await("dkvm-monitor").orElseThrow();
            Random random = new Random(77);
            play(docker, container, random, 2 * AT_ONCE);
            Use before = Use.of(container, monitor);
            play(docker, container, random, SESSIONS);
            Deadline.await("the monitor's files to be closed", () -> filesOf(monitor) <= before.files);
            Use after = Use.of(container, monitor);
            System.out.println("exec soak: " + SESSIONS + " sessions; before " + before + ", after " + after);
            assertThat(after.threads).isLessThanOrEqualTo(before.threads);
            assertThat(after.guestFiles).isLessThanOrEqualTo(before.guestFiles + GUEST_NOISE);
            assertThat(after.guestTasks).isLessThanOrEqualTo(before.guestTasks + GUEST_NOISE);
        });
    }

    private static void play(Docker docker, Container container, Random random, int sessions) throws Exception {
        for (int done = 0; done < sessions; done += AT_ONCE) {
            List<Running> clients = new ArrayList<>();
            List<Bytes> inputs = new ArrayList<>();
            for (int i = 0; i < AT_ONCE; i++) {
                byte[] input = new byte[random.nextInt(1 + random.nextInt(LARGEST))];
                random.nextBytes(input);
                inputs.add(Bytes.of(input));
                clients.add(docker.openCli(container.execArguments("-i", "--", "sh", "-c", kind(i, done))));
            }
            for (int i = 0; i < AT_ONCE; i++) {
                clients.get(i).write(inputs.get(i));
                clients.get(i).closeStdin();
            }
            for (int i = 0; i < AT_ONCE; i++) {
                Outcome outcome = clients.get(i).finish();
                String session = "session " + (done + i);
                assertThat(outcome.exitCode()).as(session).isEqualTo(code(done + i));
                Bytes loud = i % 2 == 0 ? outcome.stdout() : outcome.stderr();
                Bytes silent = i % 2 == 0 ? outcome.stderr() : outcome.stdout();
                assertThat(loud.sha256()).as(session).isEqualTo(inputs.get(i).sha256());
                assertThat(silent.sha256()).as(session).isEqualTo(Bytes.of("").sha256());
            }
        }
    }

    /** Echoes to the one stream or the other, and ends with a code of its own. */
    private static String kind(int i, int done) {
        return "cat" + (i % 2 == 0 ? "" : " >&2") + "; exit " + code(done + i);
    }

    /** 124 to 127 are of Docker's own making, too: a mistake there would not be seen. */
    private static int code(int session) {
        return session % 120;
    }

    private static int filesOf(long pid) throws IOException {
        int count = 0;
        try (DirectoryStream<Path> open = Files.newDirectoryStream(Path.of("/proc", String.valueOf(pid), "fd"))) {
            for (Path ignored : open) {
                count++;
            }
        }
        return count;
    }

    /**
     * What is in use.
     *
     * @param files the monitor's open files
     * @param threads the monitor's
     * @param residentKib the monitor's resident memory
     * @param guestFiles open files of the whole guest
     * @param guestTasks tasks of the whole guest
     * @param guestAvailableKib memory that the guest could still give away
     */
    private record Use(int files, int threads, int residentKib, int guestFiles, int guestTasks, int guestAvailableKib) {
        static Use of(Container container, long monitor) throws Exception {
            int resident = 0;
            int threads = 0;
            for (String line : Files.readAllLines(Path.of("/proc", String.valueOf(monitor), "status"))) {
                if (line.startsWith("VmRSS:")) {
                    resident = number(line);
                } else if (line.startsWith("Threads:")) {
                    threads = number(line);
                }
            }
            String[] guest = container
                    .exec(
                            "sh",
                            "-c",
                            "cut -f1 /proc/sys/fs/file-nr; sed 's/.*\\///; s/ .*//' /proc/loadavg; grep MemAvailable /proc/meminfo")
                    .text()
                    .split("\n", -1);
            return new Use(filesOf(monitor), threads, resident, number(guest[0]), number(guest[1]), number(guest[2]));
        }

        private static int number(String text) {
            return Integer.parseInt(text.replaceAll("[^0-9]", ""));
        }
    }
}
