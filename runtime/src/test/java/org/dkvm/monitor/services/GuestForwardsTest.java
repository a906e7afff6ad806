// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.services;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.dkvm.agent.FrameType;
import org.dkvm.monitor.Peer;
import org.dkvm.monitor.TestSandbox;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Frames of connections from the host between dkvm-forward and the agent. */
@Timeout(60)
class GuestForwardsTest {
    private static final int FIRST = 257;
    private static final int OPEN = 20;
    private static final int ECONNRESET = 104;

    private final Path directory;
    private final TestSandbox sandbox;

    GuestForwardsTest(@TempDir Path directory) throws Exception {
        this.directory = directory;
        sandbox = new TestSandbox(directory);
    }

    @AfterEach
    void close() {
        sandbox.close();
    }

    private void startPod() throws Exception {
        Files.createDirectories(directory.resolve("plans"));
        sandbox.start();
    }

    private Peer running(Peer main) {
        Peer agent = sandbox.runningAgent();
        main.expect(FrameType.OPENED);
        return agent;
    }

    private static byte[] target() {
        byte[] target = new byte[OPEN];
        target[0] = 4;
        target[3] = 80;
        return target;
    }

    @Test
    void framesGoBothWays() throws Exception {
        startPod();
        Peer main = sandbox.mainClient();
        Peer agent = running(main);
        Peer program = sandbox.forwardPeer();
        program.sayBytes(FrameType.FORWARD_OPEN, FIRST, target());
        program.say(FrameType.SOCKET_DATA, FIRST, 'q');
        Peer.Got opened = agent.skipTo(FrameType.FORWARD_OPEN);
        assertThat(opened.stream()).isEqualTo(FIRST);
        assertThat(opened.payload()).isEqualTo(target());
        assertThat(agent.expect(FrameType.SOCKET_DATA).text()).isEqualTo("q");
        agent.say(FrameType.SOCKET_DATA, FIRST, 'a');
        agent.say(FrameType.SOCKET_CREDIT, FIRST, 1, 0, 0, 0);
        agent.say(FrameType.SOCKET_CLOSE, FIRST, 0, 0, 0, 0);
        assertThat(program.expect(FrameType.SOCKET_DATA).text()).isEqualTo("a");
        assertThat(program.expect(FrameType.SOCKET_CREDIT).u32(0)).isEqualTo(1);
        assertThat(program.expect(FrameType.SOCKET_CLOSE).stream()).isEqualTo(FIRST);
    }

    @Test
    void theProgramsEndResetsItsConnectionsAndNothingElse() throws Exception {
        startPod();
        Peer main = sandbox.mainClient();
        Peer agent = running(main);
        Peer program = sandbox.forwardPeer();
        for (int stream = FIRST; stream < FIRST + 3; stream++) {
            program.sayBytes(FrameType.FORWARD_OPEN, stream, target());
        }
        program.say(FrameType.SOCKET_CLOSE, FIRST + 1, 0, 0, 0, 0);
        assertThat(agent.skipTo(FrameType.SOCKET_CLOSE).stream()).isEqualTo(FIRST + 1);
        program.close();
        Peer.Got first = agent.expect(FrameType.SOCKET_CLOSE);
        assertThat(first.stream()).isEqualTo(FIRST);
        assertThat(first.u32(0)).isEqualTo(ECONNRESET);
        assertThat(agent.expect(FrameType.SOCKET_CLOSE).stream()).isEqualTo(FIRST + 2);
        agent.say(FrameType.SOCKET_DATA, FIRST, 'a');
        agent.say(FrameType.SOCKET_CLOSE, FIRST, 0, 0, 0, 0);
        agent.say(FrameType.EXIT, 1, 0, 0);
        agent.say(FrameType.FINISHED, 0, 0, 0, 0, 0);
        assertThat(main.lastWords()).isEqualTo("EXIT 0");
        assertThat(sandbox.exitCode()).isZero();
        assertThat(sandbox.log()).containsOnlyOnce("localhost of the pod can not be reached from the host any more");
    }

    @Test
    void aGuestHasNoSuchConnectionOfItsOwn() throws Exception {
        startPod();
        Peer main = sandbox.mainClient();
        Peer agent = running(main);
        sandbox.forwardPeer().sayBytes(FrameType.FORWARD_OPEN, FIRST, target());
        agent.skipTo(FrameType.FORWARD_OPEN);
        agent.sayBytes(FrameType.SOCKET_OPEN, FIRST, new byte[12]);
        assertThat(main.lastWords()).contains("a connection of the guest's on stream " + FIRST);
    }

    @Test
    void beforeAnybodyConnectsThereIsNone() throws Exception {
        startPod();
        Peer main = sandbox.mainClient();
        running(main).say(FrameType.SOCKET_DATA, FIRST, 'x');
        assertThat(main.lastWords()).contains("a frame SOCKET_DATA from a guest without sockets");
    }

    @Test
    void whatTheProgramMayNotSayIsItsEnd() throws Exception {
        startPod();
        Peer main = sandbox.mainClient();
        Peer agent = running(main);
        Peer program = sandbox.forwardPeer();
        program.sayBytes(FrameType.FORWARD_OPEN, FIRST, target());
        agent.skipTo(FrameType.FORWARD_OPEN);
        program.say(FrameType.SOCKET_DATA, FIRST - 1, 'x');
        assertThat(agent.expect(FrameType.SOCKET_CLOSE).stream()).isEqualTo(FIRST);
        assertThat(sandbox.log()).contains("dkvm-forward broke the protocol: a frame SOCKET_DATA from dkvm-forward");
    }
}
