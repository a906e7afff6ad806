// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.services;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.dkvm.agent.FrameType;
import org.dkvm.monitor.Peer;
import org.dkvm.monitor.TestSandbox;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Frames of sockets between the agent and dkvm-sockets. */
@Timeout(60)
class GuestSocketsTest {
    private static final byte[] RECORD = {
        120, 0, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, (byte) 0xb0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    };

    private final TestSandbox sandbox;

    GuestSocketsTest(@TempDir Path directory) throws Exception {
        sandbox = new TestSandbox(directory);
    }

    @AfterEach
    void close() {
        sandbox.close();
    }

    private Peer connector() throws Exception {
        sandbox.socket();
        sandbox.start();
        Peer connector = sandbox.connectorPeer();
        connector.sayBytes(FrameType.SOCKETS, 0, RECORD);
        // virtiofsd, then QEMU, before which there is no agent.
        sandbox.awaitStarted(2);
        return connector;
    }

    @Test
    void theAgentIsToldWhatTheSocketsAreLike() throws Exception {
        connector();
        sandbox.mainClient();
        Peer agent = sandbox.agent();
        TestSandbox.hello(agent);
        byte[] records = agent.skipTo(FrameType.CONTAINER).payload();
        assertThat(records).endsWith(RECORD);
    }

    @Test
    void framesGoBothWays() throws Exception {
        Peer connector = connector();
        Peer main = sandbox.mainClient();
        Peer agent = sandbox.runningAgent();
        main.expect(FrameType.OPENED);
        agent.say(FrameType.SOCKET_OPEN, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        agent.sayBytes(FrameType.SOCKET_DATA, 3, "ask".getBytes(StandardCharsets.UTF_8));
        assertThat(connector.expect(FrameType.SOCKET_OPEN).stream()).isEqualTo(3);
        assertThat(connector.expect(FrameType.SOCKET_DATA).text()).isEqualTo("ask");
        connector.sayBytes(FrameType.SOCKET_DATA, 3, "answer".getBytes(StandardCharsets.UTF_8));
        connector.say(FrameType.SOCKET_CLOSE, 3, 0, 0, 0, 0);
        assertThat(agent.skipTo(FrameType.SOCKET_DATA).text()).isEqualTo("answer");
        assertThat(agent.expect(FrameType.SOCKET_CLOSE).stream()).isEqualTo(3);
        agent.say(FrameType.EXIT, 1, 0, 0);
        agent.say(FrameType.FINISHED, 0, 0, 0, 0, 0);
        assertThat(main.lastWords()).isEqualTo("EXIT 0");
        assertThat(sandbox.exitCode()).isZero();
        assertThat(sandbox.connector.isAlive()).isFalse();
    }

    @Test
    void aGuestIsNotReadWhileItsSocketsTakeNothing() throws Exception {
        Peer connector = connector();
        Peer main = sandbox.mainClient();
        Peer agent = sandbox.runningAgent();
        main.expect(FrameType.OPENED);
        byte[] data = new byte[32 * 1024];
        int frames = 200;
        Thread guest = Thread.ofPlatform().start(() -> {
            for (int i = 0; i < frames; i++) {
                agent.sayBytes(FrameType.SOCKET_DATA, 1, data);
            }
        });
        guest.join(500);
        assertThat(guest.isAlive()).isTrue();
        for (int i = 0; i < frames; i++) {
            assertThat(connector.expect(FrameType.SOCKET_DATA).length()).isEqualTo(data.length);
        }
        guest.join();
    }

    @Test
    void aGuestWithoutSocketsHasNothingToSayOfThem() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        sandbox.runningAgent().say(FrameType.SOCKET_CREDIT, 1, 1, 0, 0, 0);
        assertThat(main.lastWords())
                .contains("the guest broke the protocol: a frame SOCKET_CREDIT from a guest without sockets")
                .endsWith("EXIT 255");
    }

    @Test
    void socketsBeforeTheMachineIsReadyEndTheVm() throws Exception {
        connector();
        Peer main = sandbox.mainClient();
        Peer agent = sandbox.agent();
        TestSandbox.hello(agent);
        agent.say(FrameType.SOCKET_CLOSE, 1, 0, 0, 0, 0);
        assertThat(main.lastWords()).contains("a frame SOCKET_CLOSE from a guest in state SETTING_UP");
    }

    @Test
    void whatOnlyDkvmSocketsSaysTheGuestMayNot() throws Exception {
        connector();
        Peer main = sandbox.mainClient();
        sandbox.runningAgent().say(FrameType.SOCKET_GONE, 0, 0, 0, 0, 0);
        assertThat(main.lastWords()).contains("SOCKET_GONE from the wrong side");
    }

    @Test
    void theEndOfDkvmSocketsIsTheVms() throws Exception {
        Peer connector = connector();
        Peer main = sandbox.mainClient();
        sandbox.runningAgent();
        main.expect(FrameType.OPENED);
        sandbox.connector.end(1, "the guest broke the protocol of its sockets\n");
        connector.close();
        assertThat(main.lastWords())
                .contains("dkvm-sockets ended with exit code 1")
                .contains("the guest broke the protocol of its sockets");
        assertThat(sandbox.exitCode()).isEqualTo(255);
    }

    @Test
    void dkvmSocketsThatSaysNothingFailsTheStart() throws Exception {
        sandbox.socket();
        sandbox.deadlines(300, 60_000, 60_000);
        sandbox.start();
        Peer main = sandbox.mainClient();
        assertThat(main.lastWords()).contains("dkvm-sockets did not say what the sockets are like");
        assertThat(sandbox.exitCode()).isEqualTo(125);
    }
}
