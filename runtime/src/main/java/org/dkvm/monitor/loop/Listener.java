// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.loop;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.dkvm.core.DkvmException;

/** A listening unix socket in the event loop. */
public final class Listener implements Runnable {
    /** Takes a connection, which is non-blocking. */
    @FunctionalInterface
    public interface Accepted {
        void accept(SocketChannel channel) throws IOException;
    }

    private final ServerSocketChannel server;
    private final Accepted accepted;
    private final MonitorLog log;

    private Listener(ServerSocketChannel server, Accepted accepted, MonitorLog log) {
        this.server = server;
        this.accepted = accepted;
        this.log = log;
    }

    /** Listens on a new socket at that path. */
    public static Listener at(Path path, EventLoop loop, MonitorLog log, Accepted accepted) throws DkvmException {
        try {
            Files.deleteIfExists(path);
            ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            server.bind(UnixDomainSocketAddress.of(path));
            return of(server, loop, log, accepted);
        } catch (IOException e) {
            throw new DkvmException("can not listen on \"" + path + "\": " + e.getMessage(), "", e);
        }
    }

    /** Serves a socket that listens already; connections may wait in it. */
    public static Listener of(ServerSocketChannel server, EventLoop loop, MonitorLog log, Accepted accepted)
            throws IOException {
        Listener listener = new Listener(server, accepted, log);
        server.configureBlocking(false);
        server.register(loop.selector(), SelectionKey.OP_ACCEPT, listener);
        return listener;
    }

    @Override
    public void run() {
        try {
            for (SocketChannel channel = server.accept(); channel != null; channel = server.accept()) {
                channel.configureBlocking(false);
                accepted.accept(channel);
            }
        } catch (IOException e) {
            log.line("accept: " + e.getMessage());
        }
    }
}
