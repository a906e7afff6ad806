// SPDX-License-Identifier: Apache-2.0
package org.dkvm.network;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** What dkvm-network, the one process of a sandbox that may change its network, is asked for (native/sandbox/network/takeover_order.h). */
public sealed interface NetworkRequest {
    /** It as the program reads it. */
    byte[] toBytes();

    /**
     * A device becomes the VM's, by a tap.
     *
     * @param ownPort a TCP port of its addresses at which this namespace listens, not the VM; 0 for none
     */
    record Take(Takeover.Tap tap, int ownPort) implements NetworkRequest {
        @Override
        public byte[] toBytes() {
            NetworkDevice device = tap.device();
            Writer to = new Writer(1, tap.name());
            to.bytes.putInt(device.index());
            to.name(device.name());
            to.bytes.putInt(device.mtu()).putShort((short) ownPort);
            to.identity(device);
            return to.toBytes();
        }
    }

    /** A tap goes, and with it the way to and from its device. */
    record Remove(String tap) implements NetworkRequest {
        @Override
        public byte[] toBytes() {
            return new Writer(2, tap).toBytes();
        }
    }

    /** A tap goes, and its device is as it was before the VM had it. */
    record Release(Takeover.Left left) implements NetworkRequest {
        @Override
        public byte[] toBytes() {
            Writer to = new Writer(3, left.tap());
            to.name(left.device());
            return to.toBytes();
        }
    }

    /** The device behind a tap has other addresses: where the VM is held to its own, it is to those. */
    record Identify(Takeover.Tap tap) implements NetworkRequest {
        @Override
        public byte[] toBytes() {
            Writer to = new Writer(4, tap.name());
            to.identity(tap.device());
            return to.toBytes();
        }
    }

    /** Puts a request together. */
    final class Writer {
        /** Addresses of a kind: as many as the program takes. A VM with more can not send as the others where it is held to its own. */
        private static final int MAX_ADDRESSES = 64;

        private static final int NAME_BYTES = 16;
        private static final int MAX_BYTES = 2048;
        private static final int IPV4_BYTES = 4;

        private final ByteBuffer bytes = ByteBuffer.allocate(MAX_BYTES).order(ByteOrder.LITTLE_ENDIAN);

        private Writer(int kind, String tap) {
            bytes.putShort((short) 0).put((byte) kind);
            name(tap);
        }

        private void name(String name) {
            if (!NetworkDevice.isName(name)) {
                throw new IllegalArgumentException("\"" + name + "\" is no network device's name");
            }
            byte[] text = name.getBytes(StandardCharsets.US_ASCII);
            bytes.put(text).put(new byte[NAME_BYTES - text.length]);
        }

        private void identity(NetworkDevice device) {
            List<byte[]> ipv4 = new ArrayList<>();
            List<byte[]> ipv6 = new ArrayList<>();
            for (DeviceAddress found : device.addresses()) {
                InetAddress address = found.address();
                List<byte[]> list = address.getAddress().length == IPV4_BYTES ? ipv4 : ipv6;
                if (list.size() < MAX_ADDRESSES) {
                    list.add(address.getAddress());
                }
            }
            bytes.put(device.mac().toBytes()).put((byte) ipv4.size()).put((byte) ipv6.size());
            ipv4.forEach(bytes::put);
            ipv6.forEach(bytes::put);
        }

        private byte[] toBytes() {
            bytes.putShort(0, (short) (bytes.position() - Short.BYTES));
            byte[] copy = new byte[bytes.position()];
            bytes.flip().get(copy);
            return copy;
        }
    }
}
