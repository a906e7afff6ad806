// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.network;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.dkvm.machine.QemuCommand;
import org.dkvm.monitor.link.QemuAnswer;
import org.dkvm.monitor.link.QemuControl;
import org.dkvm.monitor.loop.EventLoop;
import org.dkvm.monitor.loop.MonitorLog;
import org.dkvm.network.GuestPort;
import org.jspecify.annotations.Nullable;

/**
 * Opens the ports that the guest listens at in a network namespace that it shares with others, by QEMU. One command is on its way at a time, and only the guest's latest list
 * counts: whatever the guest says, no more waits than that.
 */
public final class PortForwards {
    /** A port in use may become free. */
    private static final Duration RETRY = Duration.ofSeconds(2);
    /** Commands in a row, after which others have their turn. */
    private static final int BURST = 64;

    private static final Duration PAUSE = Duration.ofMillis(100);
    /** A guest that wants many ports that others have is not to fill the container's log. */
    private static final int MAX_NOTICES = 10;

    /** The VM has one card. */
    private static final String NETDEV = QemuCommand.netdev(0);

    private final EventLoop loop;
    private final QemuControl control;
    private final MonitorLog log;
    private final Consumer<String> notice;
    private final Set<GuestPort> open = new HashSet<>();
    /** Those that could not be opened, and when they are tried again (System.nanoTime). */
    private final Map<GuestPort, Long> refused = new HashMap<>();

    private Set<GuestPort> wanted = Set.of();
    private EventLoop.@Nullable Timer retry;
    private boolean busy;
    private boolean pausing;
    private boolean ended;
    private int inRow;
    private int notices;

    /**
     * Nothing is open yet.
     *
     * @param notice tells the container's user, and the log
     */
    public PortForwards(EventLoop loop, QemuControl control, MonitorLog log, Consumer<String> notice) {
        this.loop = loop;
        this.control = control;
        this.log = log;
        this.notice = notice;
    }

    /** The guest listens at these ports, and at no others. */
    public void listening(Set<GuestPort> ports) {
        wanted = ports;
        refused.keySet().retainAll(ports);
        next();
    }

    /** The VM is going. */
    public void end() {
        ended = true;
    }

    private void next() {
        if (busy || pausing || ended) {
            return;
        }
        GuestPort closing = surplus();
        GuestPort opening = closing == null ? missing() : null;
        if (closing == null && opening == null) {
            inRow = 0;
            retryLater();
        } else if (++inRow > BURST) {
            inRow = 0;
            pause();
        } else if (closing != null) {
            close(closing);
        } else if (opening != null) {
            open(opening);
        }
    }

    private void retryLater() {
        if (retry == null && !refused.isEmpty()) {
            retry = loop.after(RETRY, () -> {
                retry = null;
                next();
            });
        }
    }

    private void pause() {
        pausing = true;
        loop.after(PAUSE, () -> {
            pausing = false;
            next();
        });
    }

    private @Nullable GuestPort surplus() {
        for (GuestPort port : open) {
            if (!wanted.contains(port)) {
                return port;
            }
        }
        return null;
    }

    private @Nullable GuestPort missing() {
        long now = System.nanoTime();
        for (GuestPort port : wanted) {
            Long again = refused.get(port);
            if (!open.contains(port) && (again == null || again - now <= 0)) {
                return port;
            }
        }
        return null;
    }

    private void close(GuestPort port) {
        open.remove(port);
        tell("hostfwd_remove " + NETDEV + " " + port.outside(), said -> log.line(port + " is closed"));
    }

    private void open(GuestPort port) {
        tell("hostfwd_add " + NETDEV + " " + port.forward(), said -> {
            if (said.isEmpty()) {
                open.add(port);
                refused.remove(port);
                log.line(port + " is open");
            } else {
                refuse(port);
            }
        });
    }

    private void refuse(GuestPort port) {
        boolean first = refused.put(port, System.nanoTime() + RETRY.toNanos()) == null;
        if (first && notices++ < MAX_NOTICES) {
            notice.accept(
                    "port " + port + " of the VM could not be opened in the network that it shares: somebody has it, "
                            + "or the container may not; it is tried again");
        }
    }

    /** QEMU's commands for people answer with what they would have shown: nothing where all is well. */
    private void tell(String line, Consumer<String> then) {
        JsonObject arguments = new JsonObject();
        arguments.addProperty("command-line", line);
        busy = true;
        control.execute("human-monitor-command", arguments, new QemuAnswer() {
            @Override
            public void done(JsonElement returned) {
                busy = false;
                then.accept(returned.getAsString().strip());
                next();
            }

            @Override
            public void failed(String reason) {
                log.line("QEMU's network: " + reason);
                end();
            }
        });
    }
}
