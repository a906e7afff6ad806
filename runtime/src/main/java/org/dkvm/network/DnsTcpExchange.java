// SPDX-License-Identifier: Apache-2.0
package org.dkvm.network;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;

/** One question asked by TCP (RFC 1035, 4.2.2: a length of two bytes in front of each message). */
final class DnsTcpExchange implements Runnable {
    private static final int PREFIX = 2;
    private static final int MIN_MESSAGE = 12;

    private final DnsRelay relay;
    private final DnsQuery query;
    private final SocketChannel channel;
    private final SelectionKey key;
    private final ByteBuffer out;
    private ByteBuffer in = ByteBuffer.allocate(PREFIX);

    DnsTcpExchange(DnsRelay relay, Selector selector, SocketAddress resolver, DnsQuery query, ByteBuffer message)
            throws IOException {
        this.relay = relay;
        this.query = query;
        out = ByteBuffer.allocate(PREFIX + message.remaining());
        out.putShort((short) message.remaining()).put(message.duplicate()).flip();
        channel = SocketChannel.open();
        try {
            channel.configureBlocking(false);
            boolean connected = channel.connect(resolver);
            key = channel.register(selector, connected ? SelectionKey.OP_WRITE : SelectionKey.OP_CONNECT, this);
        } catch (IOException e) {
            close();
            throw e;
        }
    }

    DnsQuery query() {
        return query;
    }

    @Override
    public void run() {
        try {
            if (key.isConnectable() && channel.finishConnect()) {
                key.interestOps(SelectionKey.OP_WRITE);
            } else if (key.isWritable()) {
                channel.write(out);
                key.interestOps(out.hasRemaining() ? SelectionKey.OP_WRITE : SelectionKey.OP_READ);
            } else if (key.isReadable()) {
                read();
            }
        } catch (IOException e) {
            giveUp();
        }
    }

    private void read() throws IOException {
        int count = channel.read(in);
        if (count < 0) {
            giveUp();
        } else if (!in.hasRemaining() && in.capacity() == PREFIX) {
            int length = Short.toUnsignedInt(in.getShort(0));
            if (length < MIN_MESSAGE) {
                giveUp();
            } else {
                in = ByteBuffer.allocate(length);
            }
        } else if (!in.hasRemaining()) {
            relay.finish(query, in.flip());
        }
    }

    private void giveUp() {
        relay.finish(query, ByteBuffer.allocate(0));
    }

    void close() {
        try {
            channel.close();
        } catch (IOException e) {
            // Closing a socket fails only when it is closed already.
            out.clear();
        }
    }
}
