// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.agent.Client;
import org.dkvm.agent.Replies;
import org.dkvm.monitor.loop.EventLoop;
import org.jspecify.annotations.Nullable;

/** Asks the guest what it uses ({@code dkvm top}, {@code dkvm stats}). All who wait get the next answer; who waits too long is told so. */
final class VmUsage {
    /** The agent gives itself three seconds; the rest is for a busy host. */
    private static final Duration PATIENCE = Duration.ofSeconds(6);

    private static final int MAX_WAITING = 64;

    private final EventLoop loop;
    private final Vm vm;
    private final Duration patience;
    private final List<Client> waiting = new ArrayList<>();
    private EventLoop.@Nullable Timer timer;

    /**
     * Of a VM.
     *
     * @param step how long it may take for a step of its boot: more than that is too long here, too
     */
    VmUsage(EventLoop loop, Vm vm, Duration step) {
        this.loop = loop;
        this.vm = vm;
        patience = step.compareTo(PATIENCE) < 0 ? step : PATIENCE;
    }

    /** Asks, and tells the client. */
    void take(Client client) {
        waiting.removeIf(Client::isEnded);
        if (vm.isOver()) {
            Replies.orderRefused(client, "the container is stopping");
        } else if (!vm.isRunning()) {
            Replies.orderRefused(client, "the VM is still starting, or already stopping");
        } else if (waiting.size() >= MAX_WAITING) {
            Replies.orderRefused(client, waiting.size() + " others wait for the guest's answer");
        } else {
            waiting.add(client);
            if (timer == null) {
                timer = loop.after(patience, this::late);
                vm.services().askUsage(this::answered);
            }
        }
    }

    /** The VM ends: nobody who waits for its guest's answer holds that up. */
    void end() {
        EventLoop.Timer running = timer;
        timer = null;
        if (running != null) {
            running.cancel();
        }
        waiting.forEach(client -> Replies.orderRefused(client, "the container is stopping"));
        waiting.clear();
    }

    private void answered(byte[] report) {
        EventLoop.Timer running = timer;
        timer = null;
        if (running != null) {
            running.cancel();
        }
        for (Client client : waiting) {
            if (report.length == 0) {
                Replies.orderRefused(client, "the guest can not tell what it uses");
            } else {
                Replies.usage(client, report);
            }
        }
        waiting.clear();
    }

    private void late() {
        timer = null;
        waiting.forEach(client ->
                Replies.orderRefused(client, "the guest did not answer within " + patience.toSeconds() + " s"));
        waiting.clear();
    }
}
