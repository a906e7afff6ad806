// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** What a client of the session socket is told that does not come from the agent: mostly its last frame. */
public final class Replies {
    /** The longest notice, in bytes. */
    public static final int MAX_NOTICE = 4096;
    /** The session socket's only stream. */
    static final int CLIENT_STREAM = 1;

    private static final byte[] NO_PROCESS = new byte[4];
    /** docker exec's exit code for a process that could not be started. */
    private static final int CAN_NOT_EXEC = 126;

    private Replies() {}

    /** Shows a text on a client's standard error; at most {@link #MAX_NOTICE} bytes. */
    public static void notice(Client client, byte[] utf8) {
        client.output().send(FrameType.NOTICE, CLIENT_STREAM, utf8);
    }

    /** Tells a client an exit code, its last frame: the main one the container's. */
    public static void exit(Client client, int exitCode) {
        client.output().send(FrameType.EXIT, CLIENT_STREAM, new byte[] {(byte) exitCode, 0});
        client.end();
    }

    /** Tells the main client that the workload could not be started, its last frame; the payload is the agent's. */
    public static void refuseMain(Client main, ByteBuffer refusal) {
        byte[] payload = new byte[refusal.remaining()];
        refusal.get(refusal.position(), payload);
        main.output().send(FrameType.REFUSED, CLIENT_STREAM, payload);
        main.end();
    }

    /** Says why there is no session, the client's last frame. */
    static void refuse(Client client, String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        byte[] payload = new byte[1 + utf8.length];
        payload[0] = CAN_NOT_EXEC;
        System.arraycopy(utf8, 0, payload, 1, utf8.length);
        client.output().send(FrameType.REFUSED, CLIENT_STREAM, payload);
        client.end();
    }

    /** Tells a client for an update that it is done, its last frame. */
    public static void updateDone(Client client) {
        if (!client.isEnded()) {
            exit(client, 0);
        }
    }

    /** Gives a client what the guest says that it uses, its last frames. */
    public static void usage(Client client, byte[] report) {
        if (!client.isEnded()) {
            client.output().send(FrameType.OPENED, CLIENT_STREAM, NO_PROCESS);
            client.output().send(FrameType.STDOUT, CLIENT_STREAM, report);
            exit(client, 0);
        }
    }

    /** Tells a client for an update, or for what the guest uses, why it gets none, its last frame. */
    public static void orderRefused(Client client, String text) {
        if (!client.isEnded()) {
            refuse(client, text);
        }
    }
}
