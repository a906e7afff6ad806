// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.services;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.dkvm.agent.FrameType;
import org.dkvm.monitor.Peer;
import org.dkvm.monitor.TestSandbox;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Frames of file events between the agent and dkvm-events. */
@Timeout(60)
class GuestFileEventsTest {
    private static final byte[] PATH = "/1/src".getBytes(StandardCharsets.UTF_8);
    private static final int EPIPE = 32;
    private static final int IN_Q_OVERFLOW = 0x4000;

    private final TestSandbox sandbox;
    private @Nullable Peer watcher;

    GuestFileEventsTest(@TempDir Path directory) throws Exception {
        sandbox = new TestSandbox(directory);
    }

    @AfterEach
    void close() {
        sandbox.close();
    }

    private Peer running(Peer main) throws Exception {
        Peer agent = sandbox.runningAgent();
        main.expect(FrameType.OPENED);
        return agent;
    }

    private static void finish(Peer agent, Peer main) {
        agent.say(FrameType.EXIT, 1, 0, 0);
        agent.say(FrameType.FINISHED, 0, 0, 0, 0, 0);
        assertThat(main.lastWords()).isEqualTo("EXIT 0");
    }

    @Test
    void whereNobodyWatchesNothingIsStarted() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        finish(running(main), main);
        assertThat(sandbox.exitCode()).isZero();
        assertThat(sandbox.watchers).hasValue(0);
    }

    @Test
    void framesGoBothWaysFromTheFirstWatchOn() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = running(main);
        agent.sayBytes(FrameType.FILE_WATCH, 7, PATH);
        agent.say(FrameType.FILE_UNWATCH, 7);
        Peer watcher = sandbox.watcherPeer();
        Peer.Got asked = watcher.expect(FrameType.FILE_WATCH);
        assertThat(asked.stream()).isEqualTo(7);
        assertThat(asked.payload()).isEqualTo(PATH);
        assertThat(watcher.expect(FrameType.FILE_UNWATCH).stream()).isEqualTo(7);
        watcher.say(FrameType.FILE_WATCHED, 7, 2, 0, 0, 0);
        watcher.say(FrameType.FILE_WATCHED, 7, 0, 0, 0, 0);
        watcher.say(FrameType.FILE_EVENTS, 0, 0, 1, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 1, 0, 'n');
        assertThat(agent.skipTo(FrameType.FILE_WATCHED).u32(0)).isEqualTo(2);
        assertThat(agent.expect(FrameType.FILE_WATCHED).u32(0)).isZero();
        assertThat(agent.expect(FrameType.FILE_EVENTS).length()).isEqualTo(15);
        agent.sayBytes(FrameType.FILE_WATCH, 8192, PATH);
        assertThat(watcher.expect(FrameType.FILE_WATCH).stream()).isEqualTo(8192);
        finish(agent, main);
        assertThat(sandbox.exitCode()).isZero();
        assertThat(sandbox.watchers).hasValue(1);
        assertThat(sandbox.watcher.isAlive()).isFalse();
    }

    @Test
    void theEndOfDkvmEventsIsNotTheVms() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = running(main);
        agent.sayBytes(FrameType.FILE_WATCH, 1, PATH);
        agent.sayBytes(FrameType.FILE_WATCH, 2, PATH);
        Peer watcher = sandbox.watcherPeer();
        watcher.expect(FrameType.FILE_WATCH);
        sandbox.watcher.end(1, "inotify: too many open files\n");
        assertThat(agent.skipTo(FrameType.FILE_WATCHED).u32(0)).isEqualTo(EPIPE);
        assertThat(agent.expect(FrameType.FILE_WATCHED).stream()).isEqualTo(2);
        // Whoever watches may have missed something.
        assertThat(agent.expect(FrameType.FILE_EVENTS).u32(0)).isEqualTo(IN_Q_OVERFLOW);
        agent.sayBytes(FrameType.FILE_WATCH, 3, PATH);
        assertThat(agent.expect(FrameType.FILE_WATCHED).stream()).isEqualTo(3);
        assertThat(sandbox.log()).contains("inotify: too many open files");
        finish(agent, main);
        assertThat(sandbox.exitCode()).isZero();
        assertThat(sandbox.watchers).hasValue(1);
    }

    @Test
    void dkvmEventsThatCanNotBeStartedLeavesTheVmDeaf() throws Exception {
        sandbox.withoutWatcher();
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = running(main);
        agent.sayBytes(FrameType.FILE_WATCH, 1, PATH);
        assertThat(agent.skipTo(FrameType.FILE_WATCHED).u32(0)).isEqualTo(EPIPE);
        finish(agent, main);
        assertThat(sandbox.exitCode()).isZero();
    }

    @Test
    void dkvmEventsThatDoesNotConnectIsNotWaitedForForEver() throws Exception {
        sandbox.deadlines(3000, 60_000, 60_000);
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = running(main);
        agent.sayBytes(FrameType.FILE_WATCH, 1, PATH);
        assertThat(agent.skipTo(FrameType.FILE_WATCHED).u32(0)).isEqualTo(EPIPE);
        assertThat(sandbox.log()).contains("dkvm-events did not start");
        finish(agent, main);
        assertThat(sandbox.exitCode()).isZero();
    }

    @Test
    void dkvmEventsThatBreaksTheProtocolIsNotHeardAnyMore() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = running(main);
        agent.sayBytes(FrameType.FILE_WATCH, 1, PATH);
        Peer watcher = sandbox.watcherPeer();
        watcher.expect(FrameType.FILE_WATCH);
        watcher.say(FrameType.FILE_WATCHED, 2, 0, 0, 0, 0);
        assertThat(agent.skipTo(FrameType.FILE_WATCHED).u32(0)).isEqualTo(EPIPE);
        sandbox.awaitLog("an answer to what was not asked");
        finish(agent, main);
    }

    @Test
    void aGuestThatAsksTooMuchEndsItsVm() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = running(main);
        for (int i = 1; i <= 65; i++) {
            agent.sayBytes(FrameType.FILE_WATCH, i, PATH);
        }
        assertThat(main.lastWords())
                .contains("the guest broke the protocol: more than 64 watches without an answer")
                .endsWith("EXIT 255");
    }

    @Test
    void aNumberBeyondTheLastEndsTheVm() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        running(main).sayBytes(FrameType.FILE_WATCH, 8193, PATH);
        assertThat(main.lastWords()).contains("a watch of number 8193");
    }

    @Test
    void whatOnlyDkvmEventsSaysTheGuestMayNot() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        running(main).say(FrameType.FILE_EVENTS, 0);
        assertThat(main.lastWords()).contains("FILE_EVENTS from the wrong side");
    }

    @Test
    void theLogSaysOnceThatNoFurtherFileCanBeWatched() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = running(main);
        watchAll(agent, FrameType.FILE_WATCH, 1, 8191);
        assertThat(sandbox.log()).doesNotContain("which is the most");
        watchAll(agent, FrameType.FILE_WATCH, 8192, 8192);
        sandbox.awaitLog("programs of the guest watch 8192 files and directories in its mounts, which is the most");
        watchAll(agent, FrameType.FILE_UNWATCH, 5, 5);
        watchAll(agent, FrameType.FILE_WATCH, 5, 5);
        finish(agent, main);
        assertThat(sandbox.exitCode()).isZero();
        assertThat(sandbox.log()).containsOnlyOnce("which is the most");
    }

    private void watchAll(Peer agent, FrameType type, int first, int last) {
        for (int from = first; from <= last; from += 64) {
            int to = Math.min(last, from + 63);
            for (int number = from; number <= to; number++) {
                agent.sayBytes(type, number, type == FrameType.FILE_WATCH ? PATH : new byte[0]);
            }
            Peer peer = watcher == null ? sandbox.watcherPeer() : watcher;
            watcher = peer;
            for (int number = from; number <= to; number++) {
                peer.expect(type);
                peer.say(FrameType.FILE_WATCHED, number, 0, 0, 0, 0);
                agent.skipTo(FrameType.FILE_WATCHED);
            }
        }
    }

    @Test
    void watchesBeforeTheMachineIsReadyEndTheVm() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = sandbox.agent();
        TestSandbox.hello(agent);
        agent.sayBytes(FrameType.FILE_WATCH, 1, PATH);
        assertThat(main.lastWords()).contains("a frame FILE_WATCH from a guest in state SETTING_UP");
    }
}
