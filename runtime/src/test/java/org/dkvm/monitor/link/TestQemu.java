// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.link;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.dkvm.monitor.loop.EventLoop;
import org.dkvm.monitor.loop.MonitorLog;

/** QEMU's end of its control socket, in a test's hands, and the loop that serves the other end. */
public final class TestQemu implements AutoCloseable {
    public static final String GREETING = "{\"QMP\":{}}\n";

    public final EventLoop loop = new EventLoop();
    public final QemuControl control;
    public final SocketChannel socket;

    public TestQemu(Path directory, MonitorLog log) throws IOException {
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
    public void say(String lines) throws IOException {
        socket.write(ByteBuffer.wrap(lines.getBytes(StandardCharsets.UTF_8)));
        loop.round(() -> {});
    }

    @Override
    public void close() throws IOException {
        socket.close();
        loop.selector().close();
    }
}
