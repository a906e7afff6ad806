// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.start;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.dkvm.agent.Frame;
import org.dkvm.agent.FrameOutput;
import org.dkvm.agent.FrameType;

/** The monitor's part of the handshake (protocol/PROTOCOL.md): welcome, the machine, its container, and the word to set both up. */
public final class Handshake {
    private static final byte[] NOTHING = {};
    /** The number of the container that a VM starts with. */
    private static final int CONTAINER = 1;

    private Handshake() {}

    /** Sends it to an agent that has said hello. */
    public static void send(FrameOutput to, byte[] machine, byte[] container) {
        to.send(FrameType.WELCOME, 0, new byte[] {Frame.VERSION, 0, 0, 0});
        records(to, FrameType.MACHINE, NOTHING, machine);
        container(to, CONTAINER, container);
        to.send(FrameType.SET_UP, 0, NOTHING);
    }

    /** Sends the records of a container. */
    public static void container(FrameOutput to, int number, byte[] records) {
        byte[] before = ByteBuffer.allocate(Integer.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(number)
                .array();
        records(to, FrameType.CONTAINER, before, records);
    }

    /** In pieces, each after the same bytes; at least one piece. */
    private static void records(FrameOutput to, FrameType type, byte[] before, byte[] records) {
        int from = 0;
        do {
            int length = Math.min(Frame.DATA_PAYLOAD - before.length, records.length - from);
            byte[] piece = Arrays.copyOf(before, before.length + length);
            System.arraycopy(records, from, piece, before.length, length);
            to.send(type, 0, piece);
            from += length;
        } while (from < records.length);
    }
}
