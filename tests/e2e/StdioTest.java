// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.HELLO;
import static org.dkvm.e2e.Images.TOOLS;

import java.util.Random;
import org.junit.jupiter.api.Test;

/** Standard input, output and error are the workload's own, to the byte. */
@EndToEnd
class StdioTest {
    private static final int LARGE_BYTES = 20_000_000;

    @Test
    void helloFromAnImageOfOneBinary() throws Exception {
        Transcript seen = assertSame(docker -> docker.run(HELLO));
        assertThat(seen.first().text()).contains("Hello");
    }

    @Test
    void stdoutAndStderrAreSeparate() throws Exception {
        assertSame(docker -> docker.run(BUSYBOX, "sh", "-c", "echo to stdout; echo to stderr >&2"));
    }

    @Test
    void everyByteValueComesOutOfBothStreams() throws Exception {
        Transcript seen = assertSame(docker -> docker.run(
                TOOLS,
                "python3",
                "-c",
                "import sys; b = bytes(range(256)); sys.stdout.buffer.write(b); sys.stderr.buffer.write(b[::-1])"));
        assertThat(seen.first().stdout().size()).isEqualTo(256);
    }

    @Test
    void twentyMegabytesOfNoiseComeOutWhole() throws Exception {
        Transcript seen = assertSame(docker -> docker.run(
                TOOLS,
                "python3",
                "-c",
                "import random, sys; random.seed(7); sys.stdout.buffer.write(random.randbytes(" + LARGE_BYTES + "))"));
        assertThat(seen.first().stdout().size()).isEqualTo(LARGE_BYTES);
    }

    @Test
    void twoLargeStreamsAtOnceComeOutWhole() throws Exception {
        assertSame(docker -> docker.run(BUSYBOX, "sh", "-c", "seq 1 400000 & seq 400000 -1 1 >&2; wait"));
    }

    @Test
    void theLastLineNeedsNoNewline() throws Exception {
        assertSame(docker -> docker.run(BUSYBOX, "printf", "no newline"));
    }

    @Test
    void oneByteIsEnough() throws Exception {
        assertSame(docker -> docker.run(BUSYBOX, "printf", "x"));
    }

    @Test
    void aBurstBeforeTheExitIsNotLost() throws Exception {
        Transcript seen = assertSame(docker -> docker.exits(7)
                .run(BUSYBOX, "sh", "-c", "head -c 300000 /dev/zero; head -c 200000 /dev/zero >&2; exit 7"));
        assertThat(seen.first().stdout().size()).isEqualTo(300_000);
    }

    @Test
    void linesKeepTheirOrderWithinAStream() throws Exception {
        assertSame(docker -> docker.run(
                BUSYBOX, "sh", "-c", "i=0; while [ $i -lt 300 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done"));
    }

    @Test
    void anUnfinishedLineArrivesWhileTheWorkloadRuns() throws Exception {
        assertSame(docker -> {
            Running client = docker.open("-i", BUSYBOX, "sh", "-c", "printf 'name? '; read name; echo hello $name");
            client.awaitStdout("name? ");
            client.write("whale\n");
            docker.note("dialogue", client.finish());
        });
    }

    @Test
    void everyByteValueGoesIn() throws Exception {
        byte[] all = new byte[512];
        for (int i = 0; i < all.length; i++) {
            all[i] = (byte) i;
        }
        Transcript seen = assertSame(docker -> docker.stdin(Bytes.of(all)).run("-i", BUSYBOX, "cat"));
        assertThat(seen.first().stdout()).isEqualTo(Bytes.of(all));
    }

    @Test
    void twentyMegabytesGoIn() throws Exception {
        byte[] noise = new byte[LARGE_BYTES];
        new Random(11).nextBytes(noise);
        Bytes input = Bytes.of(noise);
        Transcript seen = assertSame(docker -> docker.stdin(input).run("-i", BUSYBOX, "sha256sum"));
        assertThat(seen.first().text()).startsWith(input.sha256());
    }

    @Test
    void fiveMegabytesGoThroughBothWaysAtOnce() throws Exception {
        byte[] noise = new byte[5_000_000];
        new Random(12).nextBytes(noise);
        Transcript seen = assertSame(docker -> docker.stdin(Bytes.of(noise)).run("-i", BUSYBOX, "cat"));
        assertThat(seen.first().stdout().size()).isEqualTo(noise.length);
    }

    @Test
    void emptyStdinEndsAtOnce() throws Exception {
        assertSame(docker -> docker.stdin("").run("-i", BUSYBOX, "sh", "-c", "wc -c; echo end"));
    }

    @Test
    void withoutInteractiveThereIsNoStdin() throws Exception {
        Transcript seen = assertSame(docker -> docker.stdin("not for you\n").run(BUSYBOX, "sh", "-c", "cat; echo end"));
        assertThat(seen.first().text()).isEqualTo("end");
    }

    @Test
    void aWorkloadMayLeaveItsStdinUnread() throws Exception {
        byte[] input = new byte[3_000_000];
        assertSame(docker ->
                docker.stdin(Bytes.of(input)).exits(4).run("-i", BUSYBOX, "sh", "-c", "head -c 10 | od; exit 4"));
    }

    @Test
    void theWorkloadEndsWhileItsStdinIsOpen() throws Exception {
        assertSame(docker -> docker.note(
                "end",
                docker.open("-i", BUSYBOX, "sh", "-c", "echo bye; exit 3").finish()));
    }

    @Test
    void aQuestionAndAnswerOfManyRounds() throws Exception {
        assertSame(docker -> {
            Running client = docker.open("-i", BUSYBOX, "sh", "-c", "while read n; do echo got $n; done; echo done");
            for (int i = 0; i < 20; i++) {
                client.write(i + "\n");
                client.awaitStdout("got " + i + "\n");
            }
            client.closeStdin();
            docker.note("dialogue", client.finish());
        });
    }

    @Test
    void stdoutMayBeClosedByTheWorkload() throws Exception {
        assertSame(docker -> docker.exits(6).run(BUSYBOX, "sh", "-c", "echo one; exec >&-; echo two >&2; exit 6"));
    }

    @Test
    void stdioArePipesAndNoTerminal() throws Exception {
        assertSame(
                docker -> docker.run(
                        "-i",
                        BUSYBOX,
                        "sh",
                        "-c",
                        "for i in 0 1 2; do [ -p /proc/self/fd/$i ] && echo pipe $i; [ -t $i ] || echo no terminal $i; done; tty; true"));
    }

    @Test
    void stdoutAndStderrCanBeOpenedAgainByPath() throws Exception {
        // nginx's image logs this way.
        assertSame(docker -> docker.run(BUSYBOX, "sh", "-c", "echo one >/dev/stdout; echo two >/dev/stderr"));
    }

    @Test
    void anUnprivilegedUserCanOpenStderrByPath() throws Exception {
        assertSame(docker ->
                docker.run("-u", "1000", BUSYBOX, "sh", "-c", "echo one >/dev/stdout; echo two >/dev/stderr"));
    }

    @Test
    void theWorkloadHasNoOtherOpenFiles() throws Exception {
        // The fourth is ls's own.
        assertSame(docker -> docker.run(BUSYBOX, "ls", "/proc/self/fd"));
    }

    @Test
    void aChildThatHoldsStdoutDoesNotHoldTheContainer() throws Exception {
        assertSame(docker -> docker.exits(5).run(BUSYBOX, "sh", "-c", "sleep 1000 & echo leaving; exit 5"));
    }

    @Test
    void onlyStdoutIsAttached() throws Exception {
        assertSame(docker -> docker.run("-a", "stdout", BUSYBOX, "sh", "-c", "echo out; echo err >&2"));
    }

    @Test
    void onlyStderrIsAttached() throws Exception {
        assertSame(docker -> docker.run("-a", "stderr", BUSYBOX, "sh", "-c", "echo out; echo err >&2"));
    }

    @Test
    void stdinAloneIsAttachedByDashA() throws Exception {
        assertSame(docker -> docker.stdin("hello\n").run("-i", "-a", "stdin", "-a", "stdout", BUSYBOX, "cat"));
    }
}
