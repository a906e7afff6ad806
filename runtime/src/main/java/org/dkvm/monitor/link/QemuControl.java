// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.link;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.machine.QmpMessage;
import org.dkvm.monitor.loop.EventLoop;
import org.dkvm.monitor.loop.MonitorLog;
import org.jspecify.annotations.Nullable;

/** QEMU's control socket: commands and their answers, and what happens to the machine. Commands given before QEMU listens wait for it. */
public final class QemuControl {
    /** What wants to know of the machine's events. */
    @FunctionalInterface
    public interface Observer {
        /** QEMU told an event, of its name and with its details. */
        void happened(QmpMessage event);
    }

    private record Command(String name, JsonObject arguments, QemuAnswer answer) {}

    private final EventLoop loop;
    private final MonitorLog log;
    private final List<Command> early = new ArrayList<>();
    private final List<Observer> observers = new ArrayList<>();
    private @Nullable ControlLink link;
    private boolean gone;

    public QemuControl(EventLoop loop, MonitorLog log) {
        this.loop = loop;
        this.log = log;
    }

    /** QEMU has connected; also a second one, after the first failed before its guest ran. */
    public void connected(SocketChannel channel) throws IOException {
        gone = false;
        link = new ControlLink(channel, loop, log, this);
    }

    /** Has QEMU do something. See QEMU's docs/interop/qemu-qmp-ref. */
    public void execute(String name, JsonObject arguments, QemuAnswer answer) {
        ControlLink open = link;
        if (gone) {
            answer.failed("QEMU has gone");
        } else if (open != null && open.takesCommands()) {
            open.send(name, arguments, answer);
        } else {
            early.add(new Command(name, arguments, answer));
        }
    }

    /** Tells the observer each event from now on. */
    public void observe(Observer observer) {
        observers.add(observer);
    }

    void takesCommands(ControlLink open) {
        List<Command> waiting = new ArrayList<>(early);
        early.clear();
        for (Command command : waiting) {
            open.send(command.name, command.arguments, command.answer);
        }
    }

    void happened(QmpMessage event) {
        log.line("QEMU: " + event.described());
        for (Observer observer : observers) {
            observer.happened(event);
        }
    }

    /** The link is closed: nothing more is done. */
    void closed(ControlLink closed) {
        if (link != closed) {
            return;
        }
        gone = true;
        List<Command> waiting = new ArrayList<>(early);
        early.clear();
        for (Command command : waiting) {
            command.answer.failed("QEMU has gone");
        }
    }
}
