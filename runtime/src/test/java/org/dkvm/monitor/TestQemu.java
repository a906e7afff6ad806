// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** QEMU's end of its control socket, in a test's hands, and the loop that serves the other end. */
final class TestQemu implements AutoCloseable {
    static final String GREETING = "{\"QMP\":{}}\n";

    final EventLoop loop = new EventLoop();
    final QemuControl control;
    final SocketChannel socket;

    TestQemu(Path directory, MonitorLog log) throws IOException {
        control = new QemuControl(loop, log);
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(directory.resolve("qmp"));
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(address);
            socket = SocketChannel.open(address);
            SocketChannel accepted = server.accept();
            accepted.configureBlocking(false);
            control.connected(accepted);
        }
    }

    /** Sends lines, and has them taken. */
    void say(String lines) throws IOException {
        socket.write(ByteBuffer.wrap(lines.getBytes(StandardCharsets.UTF_8)));
        loop.round(() -> {});
    }

    @Override
    public void close() throws IOException {
        socket.close();
        loop.selector().close();
    }
}
