// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.services;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.dkvm.agent.FrameType;
import org.dkvm.monitor.Peer;
import org.dkvm.monitor.TestSandbox;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Frames of locks between the agent and dkvm-locks. */
@Timeout(60)
class GuestLocksTest {
    private static final int FIXED = 48;
    private static final int ANSWER = 32;

    private final TestSandbox sandbox;

    GuestLocksTest(@TempDir Path directory) throws Exception {
        sandbox = new TestSandbox(directory);
    }

    @AfterEach
    void close() {
        sandbox.close();
    }

    private static byte[] bytes(int first, int length) {
        byte[] bytes = new byte[length];
        bytes[0] = (byte) first;
        return bytes;
    }

    private Peer running(Peer main) {
        Peer agent = sandbox.runningAgent();
        main.expect(FrameType.OPENED);
        return agent;
    }

    @Test
    void theProgramIsStartedByTheFirstLockAndLosesNone() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = running(main);
        assertThat(sandbox.locksStarted).isEmpty();
        for (int i = 1; i <= 100; i++) {
            agent.sayBytes(FrameType.LOCK, 0, bytes(i, FIXED + i));
        }
        Peer locks = sandbox.locksPeer();
        for (int i = 1; i <= 100; i++) {
            Peer.Got lock = locks.expect(FrameType.LOCK);
            assertThat(lock.payload()).isEqualTo(bytes(i, FIXED + i));
        }
        assertThat(sandbox.locksStarted).hasSize(1);
        locks.sayBytes(FrameType.LOCK_ANSWER, 0, bytes(7, ANSWER));
        assertThat(agent.skipTo(FrameType.LOCK_ANSWER).payload()).isEqualTo(bytes(7, ANSWER));
        agent.say(FrameType.EXIT, 1, 0, 0);
        agent.say(FrameType.FINISHED, 0, 0, 0, 0, 0);
        assertThat(main.lastWords()).isEqualTo("EXIT 0");
        assertThat(sandbox.exitCode()).isZero();
        assertThat(sandbox.locks.isAlive()).isFalse();
    }

    @Test
    void aGuestIsHeardWhileDkvmLocksStarts() {
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = running(main);
        for (int i = 1; i <= 100; i++) {
            agent.sayBytes(FrameType.LOCK, 0, bytes(i, FIXED + 1000));
        }
        agent.sayBytes(FrameType.STDOUT, 1, bytes('x', 1));
        assertThat(main.skipTo(FrameType.STDOUT).payload()).isEqualTo(bytes('x', 1));
    }

    @Test
    void aGuestIsNotReadWhileItsLocksTakeNothing() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = running(main);
        int frames = 1000;
        Thread guest = Thread.ofPlatform().start(() -> {
            for (int i = 0; i < frames; i++) {
                agent.sayBytes(FrameType.LOCK, 0, bytes(1, FIXED + 8000));
            }
        });
        guest.join(500);
        assertThat(guest.isAlive()).isTrue();
        Peer locks = sandbox.locksPeer();
        for (int i = 0; i < frames; i++) {
            locks.expect(FrameType.LOCK);
        }
        guest.join();
    }

    @Test
    void locksBeforeTheMachineIsReadyEndTheVm() {
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = sandbox.agent();
        TestSandbox.hello(agent);
        agent.sayBytes(FrameType.LOCK, 0, bytes(1, FIXED));
        assertThat(main.lastWords()).contains("a frame LOCK from a guest in state SETTING_UP");
    }

    @Test
    void whatOnlyDkvmLocksSaysTheGuestMayNot() {
        sandbox.start();
        Peer main = sandbox.mainClient();
        running(main).sayBytes(FrameType.LOCK_ANSWER, 0, bytes(1, ANSWER));
        assertThat(main.lastWords()).contains("LOCK_ANSWER from the wrong side");
    }

    @Test
    void dkvmLocksSaysNothingButAnswers() {
        sandbox.start();
        Peer main = sandbox.mainClient();
        running(main).sayBytes(FrameType.LOCK, 0, bytes(1, FIXED));
        sandbox.locksPeer().sayBytes(FrameType.SHUTDOWN, 0, new byte[0]);
        assertThat(main.lastWords())
                .contains("dkvm-locks broke the protocol: a frame SHUTDOWN from dkvm-locks")
                .endsWith("EXIT 255");
    }

    @Test
    void theEndOfDkvmLocksIsTheVms() {
        sandbox.start();
        Peer main = sandbox.mainClient();
        running(main).sayBytes(FrameType.LOCK, 0, bytes(1, FIXED));
        Peer locks = sandbox.locksPeer();
        locks.expect(FrameType.LOCK);
        sandbox.locks.end(1, "the guest broke the protocol of its locks\n");
        locks.close();
        assertThat(main.lastWords())
                .contains("dkvm-locks ended with exit code 1")
                .contains("the guest broke the protocol of its locks");
    }

    @Test
    void dkvmLocksThatDoesNotConnectEndsTheVm() {
        sandbox.deadlines(300, 60_000, 60_000);
        sandbox.start();
        Peer main = sandbox.mainClient();
        running(main).sayBytes(FrameType.LOCK, 0, bytes(1, FIXED));
        assertThat(main.lastWords()).contains("dkvm-locks did not start");
    }
}
