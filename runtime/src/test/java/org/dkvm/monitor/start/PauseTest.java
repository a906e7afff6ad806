// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.start;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.dkvm.agent.FrameType;
import org.dkvm.core.machine.BreakPoint;
import org.dkvm.monitor.Peer;
import org.dkvm.monitor.TestSandbox;
import org.dkvm.monitor.end.Verdict;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The launch waits for a person, and goes on, or ends, as that one says. */
@Timeout(60)
class PauseTest {
    private static final int MAIN = 1;

    private final TestSandbox sandbox;

    PauseTest(@TempDir Path directory) throws Exception {
        sandbox = new TestSandbox(directory);
        sandbox.breaks(BreakPoint.PRENET, BreakPoint.PREQEMU);
    }

    @AfterEach
    void close() {
        sandbox.close();
    }

    @Test
    void theLaunchGoesOnWhereItWaited() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        assertThat(main.expect(FrameType.BREAK).text()).isEqualTo("prenet");
        main.say(FrameType.RESIZE, 1, 40, 0, 100, 0);
        main.say(FrameType.BREAK, 1);
        assertThat(main.expect(FrameType.BREAK).text()).isEqualTo("preqemu");
        assertThat(sandbox.started).hasSize(1);
        main.say(FrameType.BREAK, 1);
        sandbox.awaitStarted(2);
        Peer agent = sandbox.runningAgent();
        main.expect(FrameType.OPENED);
        main.say(FrameType.STDIN, 1, 'x');
        assertThat(agent.expect(FrameType.STDIN).text()).isEqualTo("x");
        agent.say(FrameType.EXIT, MAIN, 7, 0);
        agent.say(FrameType.FINISHED, 0, 0, 0, 7, 0);
        assertThat(main.lastWords()).isEqualTo("EXIT 7");
    }

    @Test
    void aSignalEndsTheLaunchUnlessItIsHarmless() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        main.expect(FrameType.BREAK);
        main.say(FrameType.SIGNAL, 1, 28, 0, 0, 0);
        main.say(FrameType.SIGNAL, 1, 18, 0, 0, 0);
        main.say(FrameType.SIGNAL, 1, 37, 0, 0, 0);
        assertThat(main.lastWords()).isEqualTo("EXIT " + (128 + 37));
        assertThat(sandbox.exitCode()).isEqualTo(128 + 37);
        assertThat(sandbox.share.isAlive()).isFalse();
        assertThat(sandbox.started).hasSize(1);
    }

    @Test
    void noDeadlineRunsMeanwhile() throws Exception {
        sandbox.deadlines(50, 50, 50);
        sandbox.start();
        Peer main = sandbox.mainClient();
        main.expect(FrameType.BREAK);
        Thread.sleep(300);
        main.say(FrameType.SIGNAL, 1, 15, 0, 0, 0);
        assertThat(main.lastWords()).isEqualTo("EXIT 143");
    }

    @Test
    void everySignalButEightEndsIt() {
        for (int signal = 1; signal <= 64; signal++) {
            boolean harmless = (signal >= 17 && signal <= 23) || signal == 28;
            assertThat(Pause.endsBy(signal)).as("signal " + signal).isEqualTo(!harmless);
        }
    }

    @Test
    void aClientThatGoesEndsTheLaunch() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        main.expect(FrameType.BREAK);
        main.close();
        assertThat(sandbox.exitCode()).isEqualTo(Verdict.NOT_STARTED);
        assertThat(sandbox.share.isAlive()).isFalse();
        assertThat(sandbox.started).hasSize(1);
    }

    @Test
    void aVirtiofsdThatDiesMeanwhileIsTold() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        main.expect(FrameType.BREAK);
        sandbox.share.end(1, "no more\n");
        assertThat(main.lastWords())
                .startsWith("dkvm: virtiofsd ended with exit code 1; its last messages:\nno more\n")
                .endsWith("EXIT 125");
    }
}
