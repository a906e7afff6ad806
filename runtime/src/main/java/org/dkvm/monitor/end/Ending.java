// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.end;

import java.time.Duration;
import java.util.function.Consumer;
import org.dkvm.agent.SessionRouter;
import org.dkvm.monitor.link.Clients;
import org.dkvm.monitor.link.MainClient;
import org.dkvm.monitor.loop.EventLoop;
import org.dkvm.monitor.loop.MonitorLog;
import org.dkvm.monitor.program.Children;
import org.jspecify.annotations.Nullable;

/** The end of a sandbox: no child is left, every client has heard, the main one last. */
public final class Ending {
    private static final Duration CHILDREN_DEADLINE = Duration.ofSeconds(5);
    /** As much memory as the container may have is taken in a second; on a host that is busy with others, in more. */
    private static final Duration OUT_OF_MEMORY_DEADLINE = Duration.ofSeconds(20);

    private static final Duration ATTACH_DEADLINE = Duration.ofSeconds(5);
    private static final Duration CLIENTS_DEADLINE = Duration.ofSeconds(1);

    private final EventLoop loop;
    private final MonitorLog log;
    private final SessionRouter router;
    private final Clients clients;
    private final Children children;
    private final MainClient main;
    private @Nullable Consumer<Runnable> onOutOfMemory;
    private @Nullable Verdict verdict;
    private boolean gone;
    private boolean exhausting;
    private boolean delivering;
    private boolean told;

    public Ending(
            EventLoop loop, MonitorLog log, SessionRouter router, Clients clients, Children children, MainClient main) {
        this.loop = loop;
        this.log = log;
        this.router = router;
        this.clients = clients;
        this.children = children;
        this.main = main;
    }

    /** What is done when a VM that ran out of memory is gone, before anybody hears of its end; it runs what it is given when it is done. */
    public void onOutOfMemory(Consumer<Runnable> task) {
        onOutOfMemory = task;
    }

    /** The exit code that this process ends with, too. */
    public int exitCode() {
        Verdict reached = verdict;
        return reached == null ? Verdict.LOST : reached.exitCode();
    }

    /** Ends the VM; all is synced and unmounted, or lost anyway. */
    public void begin(Verdict reached) {
        verdict = reached;
        if (!reached.notice().isEmpty()) {
            log.lastLine(reached.notice());
        }
        children.kill();
        router.endExecSessions();
        loop.after(CHILDREN_DEADLINE, () -> {
            if (!exhausting) {
                deliver();
            }
        });
        childEnded();
    }

    /** A child has ended: with the last one, the VM is gone. */
    public void childEnded() {
        if (children.allEnded() && !gone) {
            gone = true;
            afterVm();
        }
    }

    private void afterVm() {
        Verdict reached = verdict;
        Consumer<Runnable> task = onOutOfMemory;
        if (reached != null && reached.outOfMemory() && task != null) {
            exhausting = true;
            loop.after(OUT_OF_MEMORY_DEADLINE, () -> deliver());
            task.accept(() -> deliver());
        } else {
            deliver();
        }
    }

    /** Stops the loop when all has been said. */
    public void afterRound() {
        if (!delivering) {
            return;
        }
        if (!told && main.isThere()) {
            told = true;
            tell();
            clients.update(false);
            loop.after(CLIENTS_DEADLINE, () -> stopWithoutExecClients());
        }
        if (told && clients.isEmpty()) {
            loop.stop();
        }
    }

    private void deliver() {
        if (!delivering) {
            delivering = true;
            // A sandbox whose init never came has nobody to tell.
            loop.after(ATTACH_DEADLINE, () -> {
                if (!main.isThere()) {
                    loop.stop();
                }
            });
        }
    }

    private void tell() {
        Verdict reached = verdict;
        if (reached != null) {
            main.end(reached.notice(), reached.refusal(), reached.exitCode());
        }
    }

    /** An exec client that does not read its last frames is not waited for; the main one is. */
    private void stopWithoutExecClients() {
        if (main.hasReadAll()) {
            loop.stop();
        } else {
            loop.after(CLIENTS_DEADLINE, () -> stopWithoutExecClients());
        }
    }
}
