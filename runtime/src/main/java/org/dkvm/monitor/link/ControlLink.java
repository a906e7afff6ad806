// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.link;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.dkvm.core.DkvmException;
import org.dkvm.machine.QmpLines;
import org.dkvm.machine.QmpMessage;
import org.dkvm.monitor.loop.EventLoop;
import org.dkvm.monitor.loop.MonitorLog;
import org.dkvm.monitor.loop.Sockets;
import org.jspecify.annotations.Nullable;

/** A connection of QEMU to its control socket: lines in and out, and which answer belongs to which command. */
final class ControlLink implements Runnable {
    private static final int READ_BYTES = 4096;
    /** Commands that wait for their answers: far more than are ever given at a time. */
    private static final int MAX_WAITING = 1024;

    private final SocketChannel channel;
    private final SelectionKey key;
    private final MonitorLog log;
    private final QemuControl control;
    private final QmpLines lines = new QmpLines();
    private final Deque<ByteBuffer> unsent = new ArrayDeque<>();
    private final Map<Long, QemuAnswer> waiting = new LinkedHashMap<>();
    private boolean negotiated;
    private long lastId;

    ControlLink(SocketChannel channel, EventLoop loop, MonitorLog log, QemuControl control) throws IOException {
        this.channel = channel;
        this.log = log;
        this.control = control;
        key = channel.register(loop.selector(), SelectionKey.OP_READ, this);
    }

    /** Whether QEMU has said that it takes commands, and is there still. */
    boolean takesCommands() {
        return negotiated && channel.isOpen();
    }

    void send(String name, JsonObject arguments, QemuAnswer answer) {
        if (waiting.size() >= MAX_WAITING) {
            answer.failed("QEMU has not answered " + MAX_WAITING + " commands");
            return;
        }
        waiting.put(++lastId, answer);
        write(QmpMessage.command(lastId, name, arguments));
    }

    @Override
    public void run() {
        try {
            if (key.isWritable()) {
                flush();
            }
            if (key.isReadable()) {
                read();
            }
        } catch (IOException | DkvmException e) {
            close("control socket: " + e.getMessage());
        }
    }

    private void read() throws IOException, DkvmException {
        ByteBuffer bytes = ByteBuffer.allocate(READ_BYTES);
        if (channel.read(bytes) < 0) {
            close("QEMU closed its control socket");
            return;
        }
        bytes.flip();
        for (String line = lines.next(bytes); line != null; line = lines.next(bytes)) {
            take(QmpMessage.parse(line));
        }
    }

    private void take(QmpMessage message) {
        switch (message.kind()) {
            case GREETING -> write(QmpMessage.NEGOTIATE);
            case EVENT -> control.happened(message);
            case FAILED -> {
                log.line("QEMU refused a command: " + message.text());
                QemuAnswer answer = answerTo(message);
                if (answer != null) {
                    answer.failed(message.text());
                }
            }
            case DONE -> done(message);
        }
    }

    private void done(QmpMessage message) {
        QemuAnswer answer = answerTo(message);
        if (answer != null) {
            answer.done(message.details());
        } else if (!negotiated) {
            negotiated = true;
            log.line("QEMU takes commands");
            control.takesCommands(this);
        }
    }

    private @Nullable QemuAnswer answerTo(QmpMessage message) {
        return waiting.remove(message.id());
    }

    private void write(String line) {
        unsent.add(ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8)));
        try {
            flush();
        } catch (IOException e) {
            close("control socket: " + e.getMessage());
        }
    }

    private void flush() throws IOException {
        for (ByteBuffer next = unsent.peek(); next != null; next = unsent.peek()) {
            channel.write(next);
            if (next.hasRemaining()) {
                break;
            }
            unsent.remove();
        }
        int wanted = SelectionKey.OP_READ | (unsent.isEmpty() ? 0 : SelectionKey.OP_WRITE);
        if (key.isValid() && key.interestOps() != wanted) {
            key.interestOps(wanted);
        }
    }

    private void close(String reason) {
        log.line(reason);
        Sockets.close(channel);
        unsent.clear();
        List<QemuAnswer> answers = new ArrayList<>(waiting.values());
        waiting.clear();
        for (QemuAnswer answer : answers) {
            answer.failed("QEMU has gone");
        }
        control.closed(this);
    }
}
