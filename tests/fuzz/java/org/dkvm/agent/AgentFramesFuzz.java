// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

import java.util.ArrayList;
import java.util.List;
import org.dkvm.fuzz.Bounded;
import org.dkvm.fuzz.Bytes;

/**
 * What a guest sends: bytes → frames → the agent's state → sessions.
 *
 * <p>An input's first byte says whether a HELLO and a READY come before it (1), whether it is a list of frames rather than their bytes (2), whether clients read (4), and how large the
 * pieces are in which it arrives (the rest).
 */
public final class AgentFramesFuzz {
    private static final int STARTED = 1;
    private static final int LISTED = 2;
    private static final int DEAF = 4;
    /** Two channels' credit in frames of one byte, and what of control frames may wait. */
    private static final int MOST_BACKLOG = 2 * Session.CREDIT * (Frame.HEADER + 1) + 64 * 1024;

    private AgentFramesFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        Bounded.run(input, AgentFramesFuzz::take);
    }

    private static void take(byte[] input) throws Exception {
        Bytes in = new Bytes(input);
        int how = in.u8();
        byte[] stream = (how & LISTED) != 0 ? Wire.fromList(in) : in.rest();
        List<String> whole = told(stream, stream.length, how);
        List<String> inPieces = told(stream, 1 + (how >> 3), how);
        Bounded.check(whole.equals(inPieces), "pieces tell another story: " + whole + " and " + inPieces);
    }

    /** What becomes of a stream that arrives in such pieces. */
    private static List<String> told(byte[] stream, int piece, int how) throws Exception {
        Told told = new Told();
        SessionRouter router = new SessionRouter(told);
        Wire agent = new Wire(false);
        List<Wire> clients = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            clients.add(new Wire((how & DEAF) != 0 && i > 0));
        }
        AgentControl control = new AgentControl(told, told, router);
        if ((how & STARTED) != 0) {
            start(router, control, agent, clients);
        }
        Wire.Parsed parsed = new Wire.Parsed(stream, Sender.AGENT);
        try {
            parsed.read(piece, control);
        } catch (ProtocolException e) {
            told.add("breach: " + e.text());
        }
        agent.checkFrames();
        for (Wire client : clients) {
            client.checkFrames();
            Bounded.check(
                    client.output().backlog() <= MOST_BACKLOG,
                    "a backlog of " + client.output().backlog());
            told.add("sent " + client.sent());
        }
        return told.lines();
    }

    private static void start(SessionRouter router, AgentControl control, Wire agent, List<Wire> clients)
            throws Exception {
        byte[] hello = Wire.fromList(new Bytes(
                new byte[] {1, 0, 16, 0, 'D', 'K', 'V', 'M', Frame.VERSION, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0
                }));
        new Wire.Parsed(hello, Sender.AGENT).read(hello.length, control);
        List<Client> attached = new ArrayList<>();
        for (Wire wire : clients) {
            Client client = new Client(wire.output());
            byte role = (byte) (attached.isEmpty() ? 0 : 1);
            byte[] attach = new byte[] {Frame.VERSION, role, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0};
            Wire.send(client, router, FrameType.ATTACH, attach);
            attached.add(client);
        }
        router.openMain(agent.output(), attached.getFirst(), new byte[1]);
        router.ready();
        for (Client exec : attached.subList(1, attached.size())) {
            Wire.send(exec, router, FrameType.OPEN, new byte[] {1, 0});
        }
    }
}
