// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SessionRouterTest {
    private static final int CREDIT = 65_536;

    /** The receiving end of a FrameOutput: what was sent to a client or the agent. */
    private static final class Ear {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private final FrameOutput output = new FrameOutput(Channels.newChannel(bytes));

        List<String> heard() throws Exception {
            List<String> heard = new ArrayList<>();
            FrameReader reader = new FrameReader(Sender.MONITOR, ByteBuffer.allocate(FrameReader.MIN_BUFFER), false);
            var channel = Channels.newChannel(new ByteArrayInputStream(bytes.toByteArray()));
            int count = 0;
            while (count >= 0) {
                count = reader.read(
                        channel,
                        Integer.MAX_VALUE,
                        frame -> heard.add(frame.type() + " " + frame.stream() + " " + frame.length()));
            }
            bytes.reset();
            return heard;
        }
    }

    private final NoMain main = new NoMain();
    private final SessionRouter router = new SessionRouter(main);
    private final Ear agent = new Ear();

    @Test
    void workloadIsOpenedInPiecesAndAnswersItsClient() throws Exception {
        Ear ear = new Ear();
        Client client = attach(ear, 0);
        router.openMain(agent.output, client, new byte[100_000]);
        assertThat(agent.heard()).containsExactly("OPEN 1 65552", "OPEN 1 34450");
        fromAgent(FrameType.OPENED, 1, new byte[4]);
        fromAgent(FrameType.STDOUT, 1, new byte[7]);
        fromAgent(FrameType.EXIT, 1, new byte[] {3, 0});
        assertThat(ear.heard()).containsExactly("OPENED 1 4", "STDOUT 1 7");
        assertThat(main.told).containsExactly("attached", "opened", "exited 3");
        Replies.exit(client, 3);
        assertThat(ear.heard()).containsExactly("EXIT 1 2");
        assertThat(client.isEnded()).isTrue();
    }

    @Test
    void aPersonMayLookAroundBeforeTheWorkloadIsOpened() throws Exception {
        Ear ear = new Ear();
        Client client = attach(ear, 0);
        router.pauseMain(client, "prenet");
        assertThat(ear.heard()).containsExactly("BREAK 1 6");
        assertThat(client.isWaiting()).isFalse();
        fromClient(client, FrameType.RESIZE, new byte[] {50, 0, 120, 0});
        fromClient(client, FrameType.SIGNAL, new byte[] {15, 0, 0, 0});
        fromClient(client, FrameType.BREAK, new byte[0]);
        assertThat(client.isWaiting()).isTrue();
        assertThat(client.size()).isEqualTo(new TerminalSize(50, 120));
        // Read along with BREAK.
        fromClient(client, FrameType.SIGNAL, new byte[] {1, 0, 0, 0});
        assertThat(main.told).containsExactly("attached", "signalled 15", "resumed", "signalled 1");
        router.openMain(agent.output, client, new byte[1]);
        assertThat(agent.heard()).containsExactly("OPEN 1 2");
        fromClient(client, FrameType.RESIZE, new byte[] {1, 0, 1, 0});
        assertThat(agent.heard()).containsExactly("RESIZE 1 4");
        assertThatThrownBy(() -> fromClient(client, FrameType.BREAK, new byte[0]))
                .hasMessage("a frame BREAK in an open session");
    }

    @Test
    void whoPausesTheLaunchSendsNoInput() throws Exception {
        Client client = attach(new Ear(), 0);
        router.pauseMain(client, "prenet");
        assertThatThrownBy(() -> fromClient(client, FrameType.STDIN, new byte[1]))
                .hasMessage("a frame STDIN before the workload's session");
        assertThatThrownBy(() -> fromClient(client, FrameType.SIGNAL, new byte[] {65, 0, 0, 0}))
                .hasMessage("a frame SIGNAL before the workload's session");
        fromClient(client, FrameType.BREAK, new byte[0]);
        assertThatThrownBy(() -> fromClient(client, FrameType.BREAK, new byte[0]))
                .hasMessage("a frame BREAK before the workload's session");
    }

    @Test
    void execSessionsAreNumberedFromTwoAndRenamed() throws Exception {
        running();
        Ear first = new Ear();
        Ear second = new Ear();
        open(attach(first, 1));
        open(attach(second, 1));
        assertThat(agent.heard()).containsExactly("OPEN 2 2", "OPEN 3 2");
        fromAgent(FrameType.OPENED, 3, new byte[4]);
        fromAgent(FrameType.STDERR, 3, new byte[9]);
        fromAgent(FrameType.EXIT, 3, new byte[] {1, 0});
        assertThat(first.heard()).isEmpty();
        assertThat(second.heard()).containsExactly("OPENED 1 4", "STDERR 1 9", "EXIT 1 2");
    }

    @Test
    void execClientsWaitUntilTheGuestIsReady() throws Exception {
        Client mainClient = attach(new Ear(), 0);
        Client exec = attach(new Ear(), 1);
        assertThat(exec.isWaiting()).isTrue();
        router.openMain(agent.output, mainClient, new byte[1]);
        assertThat(exec.isWaiting()).isTrue();
        router.ready();
        assertThat(exec.isWaiting()).isFalse();
        open(exec);
        assertThat(agent.heard()).containsExactly("OPEN 1 2", "OPEN 2 2");
    }

    @Test
    void refusedSessionIsOver() throws Exception {
        running();
        Ear ear = new Ear();
        Client client = attach(ear, 1);
        open(client);
        fromAgent(FrameType.REFUSED, 2, new byte[] {127, 'n', 'o'});
        assertThat(ear.heard()).containsExactly("REFUSED 1 3");
        assertThat(client.isEnded()).isTrue();
        breaks(FrameType.OPENED, 2, new byte[4], "session 2, which is not open");
    }

    @Test
    void sessionMayBeRefusedBeforeAllOfItIsThere() throws Exception {
        running();
        Client client = attach(new Ear(), 1);
        fromClient(client, FrameType.OPEN, new byte[] {0, 1});
        fromAgent(FrameType.REFUSED, 2, new byte[] {126});
        assertThat(client.isEnded()).isTrue();
    }

    @Test
    void outputBeyondTheCreditIsABreach() throws Exception {
        running();
        fromAgent(FrameType.STDOUT, 1, new byte[CREDIT]);
        fromAgent(FrameType.STDERR, 1, new byte[CREDIT]);
        breaks(FrameType.STDOUT, 1, new byte[1], "1 bytes with a credit of 0");
    }

    @Test
    void creditFromTheClientLetsMoreThrough() throws Exception {
        Client client = running();
        fromAgent(FrameType.STDOUT, 1, new byte[CREDIT]);
        fromClient(client, FrameType.CREDIT, new byte[] {1, 5, 0, 0, 0});
        fromAgent(FrameType.STDOUT, 1, new byte[5]);
        breaks(FrameType.STDOUT, 1, new byte[1], "credit of 0");
    }

    @Test
    void creditBeyondTheBoundIsABreachOfEitherSide() throws Exception {
        Client client = running();
        breaks(FrameType.CREDIT, 1, new byte[] {0, 1, 0, 0, 0}, "a credit of 1 on top of 65536");
        clientBreaks(client, FrameType.CREDIT, new byte[] {2, 1, 0, 0, 0}, "a credit of 1");
        fromAgent(FrameType.STDOUT, 1, new byte[10]);
        clientBreaks(client, FrameType.CREDIT, new byte[] {1, 0, 0, 0, (byte) 0x80}, "a credit of 2147483648");
        clientBreaks(client, FrameType.CREDIT, new byte[] {0, 1, 0, 0, 0}, "channel 0 from a client");
        breaks(FrameType.CREDIT, 1, new byte[] {1, 1, 0, 0, 0}, "channel 1 from the agent");
    }

    @Test
    void inputBeyondTheCreditIsTheClientsBreach() throws Exception {
        Client client = running();
        fromClient(client, FrameType.STDIN, new byte[CREDIT]);
        fromAgent(FrameType.CREDIT, 1, new byte[] {0, 2, 0, 0, 0});
        fromClient(client, FrameType.STDIN, new byte[2]);
        clientBreaks(client, FrameType.STDIN, new byte[1], "credit of 0");
    }

    @Test
    void nothingFollowsAnEndOfFile() throws Exception {
        Client client = running();
        fromAgent(FrameType.STDOUT, 1, new byte[0]);
        breaks(FrameType.STDOUT, 1, new byte[1], "after the end of file");
        breaks(FrameType.STDOUT, 1, new byte[0], "after the end of file");
        fromClient(client, FrameType.STDIN, new byte[0]);
        clientBreaks(client, FrameType.STDIN, new byte[1], "after the end of file");
    }

    @Test
    void agentKeepsToTheOrderOfASession() throws Exception {
        Client client = attach(new Ear(), 0);
        router.openMain(agent.output, client, new byte[1]);
        breaks(FrameType.STDOUT, 1, new byte[1], "which does not run");
        breaks(FrameType.EXIT, 1, new byte[2], "which does not run");
        fromAgent(FrameType.OPENED, 1, new byte[4]);
        breaks(FrameType.OPENED, 1, new byte[4], "which runs");
        breaks(FrameType.REFUSED, 1, new byte[1], "which runs");
        breaks(FrameType.STDOUT, 0, new byte[1], "session 0, which is not open");
        breaks(FrameType.STDOUT, -1, new byte[1], "session 4294967295, which is not open");
    }

    @Test
    void clientKeepsToTheOrderOfASession() throws Exception {
        running();
        Client silent = new Client(new Ear().output);
        clientBreaks(silent, FrameType.STDIN, new byte[1], "before ATTACH");
        Client exec = attach(new Ear(), 1);
        clientBreaks(exec, FrameType.STDIN, new byte[1], "STDIN before OPEN");
        clientBreaks(exec, FrameType.ATTACH, attach(3, 1), "a second ATTACH");
        clientBreaks(exec, FrameType.OPEN, new byte[] {2}, "last is 2");
        open(exec);
        clientBreaks(exec, FrameType.OPEN, new byte[] {1, 1}, "OPEN in an open session");
        clientBreaks(exec, FrameType.SIGNAL, new byte[] {65, 0, 0, 0}, "signal 65");
        clientBreaks(exec, FrameType.SIGNAL, new byte[] {0, 0, 0, 0}, "signal 0");
        Client old = new Client(new Ear().output);
        clientBreaks(old, FrameType.ATTACH, attach(2, 1), "protocol version 2");
        clientBreaks(new Client(new Ear().output), FrameType.ATTACH, attach(3, 0), "second main");
    }

    @Test
    void whatComesForAProcessThatHasJustEndedIsThrownAway() throws Exception {
        Ear ear = new Ear();
        Client main = attach(ear, 0);
        router.openMain(agent.output, main, new byte[1]);
        router.ready();
        fromAgent(FrameType.OPENED, 1, new byte[4]);
        Client exec = attach(new Ear(), 1);
        open(exec);
        fromAgent(FrameType.OPENED, 2, new byte[4]);
        fromAgent(FrameType.EXIT, 2, new byte[2]);
        fromAgent(FrameType.EXIT, 1, new byte[] {4, 0});
        agent.heard();
        for (Client client : List.of(exec, main)) {
            fromClient(client, FrameType.STDIN, new byte[CREDIT]);
            fromClient(client, FrameType.SIGNAL, new byte[] {15, 0, 0, 0});
            fromClient(client, FrameType.CREDIT, new byte[] {1, 5, 0, 0, 0});
        }
        assertThat(agent.heard()).isEmpty();
        ear.heard();
        Replies.exit(main, 4);
        assertThat(ear.heard()).containsExactly("EXIT 1 2");
    }

    @Test
    void aSignalGoesAroundTheMainClient() throws Exception {
        Ear ear = new Ear();
        Client early = attach(ear, 2);
        fromClient(early, FrameType.SIGNAL, new byte[] {19, 0, 0, 0});
        assertThat(ear.heard()).containsExactly("REFUSED 1 26");
        running();
        Client client = attach(ear, 2);
        fromClient(client, FrameType.SIGNAL, new byte[] {19, 0, 0, 0});
        assertThat(agent.heard()).containsExactly("SIGNAL 1 4");
        assertThat(ear.heard()).containsExactly("EXIT 1 2");
        assertThat(client.isEnded()).isTrue();
        clientBreaks(attach(ear, 2), FrameType.STDIN, new byte[1], "STDIN from a client for a signal");
        clientBreaks(attach(ear, 2), FrameType.SIGNAL, new byte[] {65, 0, 0, 0}, "signal 65");
        clientBreaks(new Client(new Ear().output), FrameType.ATTACH, attach(3, 6), "role 6");
    }

    @Test
    void anUpdateIsAskedForOnce() throws Exception {
        Ear ear = new Ear();
        Client client = attach(ear, 3);
        byte[] limits = new byte[20];
        limits[1] = 4;
        limits[8] = 2;
        limits[12] = 9;
        fromClient(client, FrameType.UPDATE, limits);
        assertThat(main.told).contains("updated " + new VmLimits(1024, 2, 9));
        assertThat(ear.heard()).containsExactly("EXIT 1 2");
        assertThat(client.isEnded()).isTrue();
        Replies.orderRefused(client, "too late to say more");
        assertThat(ear.heard()).isEmpty();
        clientBreaks(client, FrameType.UPDATE, limits, "UPDATE from a client for an update");
        clientBreaks(attach(ear, 3), FrameType.SIGNAL, new byte[4], "SIGNAL from a client for an update");
        running();
        clientBreaks(attach(ear, 1), FrameType.UPDATE, limits, "UPDATE before OPEN");
    }

    @Test
    void whatTheGuestUsesIsAskedForByAttaching() throws Exception {
        Ear ear = new Ear();
        Client client = attach(ear, 4);
        assertThat(main.told).contains("usage asked");
        assertThat(ear.heard()).containsExactly("OPENED 1 4", "STDOUT 1 3", "EXIT 1 2");
        assertThat(client.isEnded()).isTrue();
        clientBreaks(client, FrameType.STDIN, new byte[1], "STDIN from a client that only listens");
    }

    @Test
    void processOverTheBoundIsTheClientsBreach() throws Exception {
        running();
        Client exec = attach(new Ear(), 1);
        for (int i = 0; i < 64; i++) {
            fromClient(exec, FrameType.OPEN, new byte[65_537]);
        }
        clientBreaks(exec, FrameType.OPEN, new byte[2], "more than 4194304 bytes");
    }

    @Test
    void sessionOutlivesItsClient() throws Exception {
        running();
        Client exec = attach(new Ear(), 1);
        open(exec);
        fromAgent(FrameType.OPENED, 2, new byte[4]);
        agent.heard();
        router.clientGone(exec);
        assertThat(agent.heard()).containsExactly("CLOSE 2 0");
        fromAgent(FrameType.STDOUT, 2, new byte[5]);
        fromAgent(FrameType.EXIT, 2, new byte[2]);
        breaks(FrameType.EXIT, 2, new byte[2], "not open");
        assertThat(main.told).doesNotContain("lost");
    }

    @Test
    void clientThatGoesInTheMiddleOfOpenLeavesNoSession() throws Exception {
        running();
        Client exec = attach(new Ear(), 1);
        fromClient(exec, FrameType.OPEN, new byte[] {0, 1});
        router.clientGone(exec);
        breaks(FrameType.OPENED, 2, new byte[4], "not open");
    }

    @Test
    void mainClientsGoingIsTold() throws Exception {
        router.clientGone(running());
        assertThat(main.told).endsWith("lost");
    }

    @Test
    void sessionsAreBounded() throws Exception {
        running();
        List<Client> clients = new ArrayList<>();
        for (int i = 0; i < SessionRouter.MAX_EXEC; i++) {
            clients.add(attach(new Ear(), 1));
        }
        Ear late = new Ear();
        assertThat(attach(late, 1).isEnded()).isTrue();
        assertThat(late.heard()).hasSize(1).allMatch(frame -> frame.startsWith("REFUSED 1"));
        router.clientGone(clients.get(0));
        assertThat(attach(new Ear(), 1).isEnded()).isFalse();
    }

    @Test
    void endOfTheContainerEndsExecSessions() throws Exception {
        running();
        Ear runs = new Ear();
        Ear opens = new Ear();
        open(attach(runs, 1));
        fromAgent(FrameType.OPENED, 2, new byte[4]);
        open(attach(opens, 1));
        router.endExecSessions();
        assertThat(runs.heard()).containsExactly("OPENED 1 4", "EXIT 1 2");
        assertThat(opens.heard()).hasSize(1).allMatch(frame -> frame.startsWith("REFUSED 1"));
        Ear late = new Ear();
        assertThat(attach(late, 1).isEnded()).isTrue();
    }

    @Test
    void aFurtherContainersMainSessionIsOneOfItsOwn() throws Exception {
        Ear early = new Ear();
        Client waits = attachTo(early, 0, 2);
        assertThat(waits.isWaiting()).isTrue();
        running();
        assertThat(main.told).contains("member 2");
        router.openMember(agent.output, waits, new byte[] {7});
        assertThat(agent.heard()).containsExactly("OPEN 2 2");
        assertThat(waits.isWaiting()).isFalse();
        fromAgent(FrameType.OPENED, 2, new byte[4]);
        assertThat(early.heard()).containsExactly("OPENED 1 4");
        Ear again = new Ear();
        assertThat(attachTo(again, 0, 2).isEnded()).isTrue();
        assertThat(again.heard()).hasSize(1).allMatch(frame -> frame.startsWith("REFUSED 1"));
        clientBreaks(waits, FrameType.NETWORK_CHANGED, new byte[0], "not the main one");
        fromAgent(FrameType.EXIT, 2, new byte[] {5, 1});
        assertThat(early.heard()).containsExactly("EXIT 1 2");
        assertThat(main.told).doesNotContain("exited 5", "lost");
        fromClient(attachTo(new Ear(), 2, 2), FrameType.SIGNAL, new byte[] {19, 0, 0, 0});
        assertThat(agent.heard()).isEmpty();
    }

    @Test
    void aFurtherContainersClientThatGoesEndsThatContainerAlone() throws Exception {
        running();
        Client client = attachTo(new Ear(), 0, 3);
        router.openMember(agent.output, client, new byte[] {7});
        fromAgent(FrameType.OPENED, 2, new byte[4]);
        agent.heard();
        fromClient(attachTo(new Ear(), 2, 3), FrameType.SIGNAL, new byte[] {19, 0, 0, 0});
        assertThat(agent.heard()).containsExactly("SIGNAL 2 4");
        router.clientGone(client);
        assertThat(agent.heard()).containsExactly("CLOSE 2 0");
        assertThat(main.told).doesNotContain("lost");
    }

    @Test
    void whoAsksForAFurtherContainersEndHearsOfItWhenNothingIsLeft() throws Exception {
        running();
        Ear none = new Ear();
        assertThat(attachTo(none, 5, 2).isEnded()).isTrue();
        assertThat(none.heard()).containsExactly("EXIT 1 2");
        Client client = attachTo(new Ear(), 0, 2);
        Ear ear = new Ear();
        Client asks = attachTo(ear, 5, 2);
        clientBreaks(asks, FrameType.SIGNAL, new byte[4], "only listens");
        router.openMember(agent.output, client, new byte[] {7});
        fromAgent(FrameType.OPENED, 2, new byte[4]);
        router.clientGone(client);
        assertThat(ear.heard()).isEmpty();
        Client gone = attachTo(new Ear(), 5, 2);
        router.clientGone(gone);
        fromAgent(FrameType.EXIT, 2, new byte[] {(byte) 137, 0});
        assertThat(ear.heard()).containsExactly("EXIT 1 2");
        assertThat(asks.isEnded()).isTrue();
        attachTo(new Ear(), 0, 3);
        Ear late = new Ear();
        attachTo(late, 5, 3);
        router.endExecSessions();
        assertThat(late.heard()).containsExactly("EXIT 1 2");
    }

    @Test
    void aFurtherContainerThatCanNotBeStartedIsRefused() throws Exception {
        running();
        Ear ear = new Ear();
        Client client = attachTo(ear, 0, 2);
        router.refuseMember(client, "no plan");
        assertThat(ear.heard()).hasSize(1).allMatch(frame -> frame.startsWith("REFUSED 1"));
        assertThat(client.isEnded()).isTrue();
        clientBreaks(new Client(new Ear().output), FrameType.ATTACH, attach(3, 0, 0), "container 0");
        Ear update = new Ear();
        fromClient(attachTo(update, 3, 2), FrameType.UPDATE, new byte[20]);
        assertThat(update.heard()).hasSize(1).allMatch(frame -> frame.startsWith("REFUSED 1"));
    }

    private Client running() throws Exception {
        Client client = attach(new Ear(), 0);
        router.openMain(agent.output, client, new byte[1]);
        router.ready();
        fromAgent(FrameType.OPENED, 1, new byte[4]);
        agent.heard();
        return client;
    }

    private static byte[] attach(int version, int role) {
        return attach(version, role, 1);
    }

    private static byte[] attach(int version, int role, int container) {
        return new byte[] {
            (byte) version, (byte) role, 3, 0, 24, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte) container, 0, 0, 0
        };
    }

    private Client attachTo(Ear ear, int role, int container) throws ProtocolException {
        Client client = new Client(ear.output);
        fromClient(client, FrameType.ATTACH, attach(3, role, container));
        return client;
    }

    private Client attach(Ear ear, int role) throws ProtocolException {
        Client client = new Client(ear.output);
        fromClient(client, FrameType.ATTACH, attach(3, role));
        return client;
    }

    private void open(Client client) throws ProtocolException {
        fromClient(client, FrameType.OPEN, new byte[] {1, 9});
    }

    private void fromClient(Client client, FrameType type, byte[] payload) throws ProtocolException {
        router.fromClient(client, frame(type, 1, payload));
    }

    private void fromAgent(FrameType type, int stream, byte[] payload) throws ProtocolException {
        router.fromAgent(frame(type, stream, payload));
    }

    private void breaks(FrameType type, int stream, byte[] payload, String message) {
        assertThatThrownBy(() -> fromAgent(type, stream, payload))
                .isInstanceOf(ProtocolException.class)
                .hasMessageContaining(message);
    }

    private void clientBreaks(Client client, FrameType type, byte[] payload, String message) {
        assertThatThrownBy(() -> fromClient(client, type, payload))
                .isInstanceOf(ProtocolException.class)
                .hasMessageContaining(message);
    }

    private static Frame frame(FrameType type, int stream, byte[] payload) {
        ByteBuffer bytes = Frame.make(type, stream, payload);
        Frame frame = new Frame(bytes);
        frame.set(type, 0, bytes.limit());
        return frame;
    }
}
