// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import org.dkvm.core.DkvmException;
import org.dkvm.machine.QmpLines;
import org.dkvm.machine.QmpMessage;

/** QEMU's control socket: what happens to the machine goes to the log. */
final class ControlLink implements Runnable {
    private static final int READ_BYTES = 4096;

    private final SocketChannel channel;
    private final MonitorLog log;
    private final QmpLines lines = new QmpLines();

    ControlLink(SocketChannel channel, EventLoop loop, MonitorLog log) throws IOException {
        this.channel = channel;
        this.log = log;
        channel.register(loop.selector(), SelectionKey.OP_READ, this);
    }

    @Override
    public void run() {
        try {
            ByteBuffer bytes = ByteBuffer.allocate(READ_BYTES);
            if (channel.read(bytes) < 0) {
                Sockets.close(channel);
                return;
            }
            bytes.flip();
            for (String line = lines.next(bytes); line != null; line = lines.next(bytes)) {
                take(QmpMessage.parse(line));
            }
        } catch (IOException | DkvmException e) {
            log.line("control socket: " + e.getMessage());
            Sockets.close(channel);
        }
    }

    private void take(QmpMessage message) throws IOException {
        switch (message.kind()) {
            case GREETING -> channel.write(ByteBuffer.wrap(QmpMessage.NEGOTIATE.getBytes(StandardCharsets.US_ASCII)));
            case EVENT -> log.line("QEMU: " + message.text());
            case FAILED -> log.line("QEMU refused a command: " + message.text());
            case DONE -> log.line("QEMU takes commands");
        }
    }
}
