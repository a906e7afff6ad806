// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

import java.util.ArrayList;
import java.util.List;
import org.dkvm.fuzz.Bounded;
import org.dkvm.fuzz.Bytes;

/**
 * What clients of the session socket send, with a guest that answers.
 *
 * <p>An input is a list of steps: who (a client, the agent, the monitor itself), a frame's type, for the agent its stream, length u16, payload. A client that breaks the protocol is
 * dropped, as the monitor does it.
 */
public final class ClientFramesFuzz {
    private static final int CLIENTS = 4;
    private static final int AGENT = 4;
    private static final int OPEN_MAIN = 5;
    private static final int READY = 6;
    private static final int END = 7;
    private static final int STEPS = 8;
    /** In an input's ATTACH: whatever the protocol's version is. */
    private static final int PRESENT = 0;

    private final Told told = new Told();
    private final SessionRouter router = new SessionRouter(told);
    private final Wire agent = new Wire(false);
    private final List<Wire> wires = new ArrayList<>();
    private final List<Client> clients = new ArrayList<>();
    private boolean mainOpened;
    private int last = STEPS;

    private ClientFramesFuzz() {
        for (int i = 0; i < CLIENTS; i++) {
            wires.add(new Wire(false));
            clients.add(new Client(wires.get(i).output()));
        }
    }

    public static void fuzzerTestOneInput(byte[] input) {
        Bounded.run(input, bytes -> new ClientFramesFuzz().play(new Bytes(bytes)));
    }

    private void play(Bytes in) throws Exception {
        while (in.hasMore()) {
            int who = in.u8() % STEPS;
            if (who < CLIENTS) {
                fromClient(who, in.u8(), in.take(in.u16()));
            } else if (who == AGENT) {
                fromAgent(in.u8(), in.u8(), in.take(in.u16()));
            } else if (who == OPEN_MAIN) {
                openMain();
            } else if (who == READY) {
                router.ready();
            } else if (who == END) {
                router.endExecSessions();
            }
            last = who;
        }
        agent.checkFrames();
        for (Wire wire : wires) {
            wire.checkFrames();
        }
    }

    private void openMain() {
        for (Client client : clients) {
            if (client.isMain() && !client.isEnded() && !mainOpened) {
                mainOpened = true;
                router.openMain(agent.output(), client, new byte[1]);
            }
        }
    }

    /** A client that waits is not read; but for what came along with the frame before. */
    private void fromClient(int who, int type, byte[] payload) throws Exception {
        Client client = clients.get(who);
        if ((client.isWaiting() || client.isEnded()) && last != who) {
            return;
        }
        if (type == FrameType.ATTACH.code() && payload.length > 0 && payload[0] == PRESENT) {
            payload[0] = Frame.VERSION;
        }
        byte[] frame = frame(type, Replies.CLIENT_STREAM, payload);
        try {
            new Wire.Parsed(frame, Sender.CLIENT).read(frame.length, found -> router.fromClient(client, found));
        } catch (ProtocolException e) {
            router.clientGone(client);
            Bounded.check(client.isEnded(), "a client that is gone and has not ended");
            clients.set(who, new Client(wires.get(who).output()));
        }
    }

    private void fromAgent(int type, int stream, byte[] payload) throws Exception {
        byte[] frame = frame(type, stream, payload);
        try {
            new Wire.Parsed(frame, Sender.AGENT).read(frame.length, router::fromAgent);
        } catch (ProtocolException e) {
            told.add("breach: " + e.text());
        }
    }

    private static byte[] frame(int type, int stream, byte[] payload) {
        byte[] frame = new byte[Frame.HEADER + payload.length];
        frame[0] = (byte) payload.length;
        frame[1] = (byte) (payload.length >> 8);
        frame[4] = (byte) type;
        frame[5] = (byte) stream;
        System.arraycopy(payload, 0, frame, Frame.HEADER, payload.length);
        return frame;
    }
}
