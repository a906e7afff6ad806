// SPDX-License-Identifier: Apache-2.0
package org.dkvm.network;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** What dkvm-network, the one process of a sandbox that may change its network, is asked for (native/sandbox/network/takeover_order.h). */
public sealed interface NetworkRequest {
    /**
     * It as the program reads it.
     *
     * @param number what its answer bears, too
     */
    byte[] toBytes(int number);

    /** What takes it back, where it may be carried out when nobody waits for it any more. */
    default Optional<NetworkRequest> undone() {
        return Optional.empty();
    }

    /**
     * A device becomes the VM's, by a tap.
     *
     * @param ownPort a TCP port of its addresses at which this namespace listens, not the VM; 0 for none
     */
    record Take(Takeover.Tap tap, int ownPort) implements NetworkRequest {
        @Override
        public byte[] toBytes(int number) {
            NetworkDevice device = tap.device();
            Writer to = new Writer(number, 1, tap.name());
            to.bytes.putInt(device.index());
            to.name(device.name());
            to.bytes.putInt(device.mtu()).putShort((short) ownPort);
            return to.toBytes();
        }

        @Override
        public Optional<NetworkRequest> undone() {
            return Optional.of(
                    new Release(new Takeover.Left(tap.name(), tap.device().name())));
        }
    }

    /** A tap goes, and with it the way to and from its device. */
    record Remove(String tap) implements NetworkRequest {
        @Override
        public byte[] toBytes(int number) {
            return new Writer(number, 2, tap).toBytes();
        }
    }

    /** A tap goes, and its device is as it was before the VM had it. */
    record Release(Takeover.Left left) implements NetworkRequest {
        @Override
        public byte[] toBytes(int number) {
            Writer to = new Writer(number, 3, left.tap());
            to.name(left.device());
            return to.toBytes();
        }
    }

    /** The device behind a tap has other addresses: where the VM is held to its own, it is to those that dkvm-network finds there. */
    record Identify(String tap) implements NetworkRequest {
        @Override
        public byte[] toBytes(int number) {
            return new Writer(number, 4, tap).toBytes();
        }
    }

    /** Puts a request together. */
    final class Writer {
        private static final int NAME_BYTES = 16;
        private static final int HEADER_BYTES = 2 * Short.BYTES;
        private static final int MAX_BYTES = 64;

        private final ByteBuffer bytes = ByteBuffer.allocate(MAX_BYTES).order(ByteOrder.LITTLE_ENDIAN);

        private Writer(int number, int kind, String tap) {
            bytes.putShort((short) 0).putShort((short) number).put((byte) kind);
            name(tap);
        }

        private void name(String name) {
            if (!NetworkDevice.isName(name)) {
                throw new IllegalArgumentException("\"" + name + "\" is no network device's name");
            }
            byte[] text = name.getBytes(StandardCharsets.US_ASCII);
            bytes.put(text).put(new byte[NAME_BYTES - text.length]);
        }

        private byte[] toBytes() {
            bytes.putShort(0, (short) (bytes.position() - HEADER_BYTES));
            byte[] copy = new byte[bytes.position()];
            bytes.flip().get(copy);
            return copy;
        }
    }
}
