// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.end;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.dkvm.agent.Client;
import org.dkvm.agent.GuestText;
import org.dkvm.agent.Replies;
import org.dkvm.agent.SessionRouter;
import org.dkvm.core.DkvmException;
import org.dkvm.monitor.link.Clients;
import org.dkvm.monitor.loop.EventLoop;
import org.dkvm.monitor.loop.MonitorLog;
import org.dkvm.monitor.program.Child;
import org.dkvm.monitor.program.Tail;
import org.jspecify.annotations.Nullable;

/** The end of a sandbox: no child is left, every client has heard, the main one last. */
public final class Ending {
    private static final Duration CHILDREN_DEADLINE = Duration.ofSeconds(5);
    /** As much memory as the container may have is taken in a second; on a host that is busy with others, in more. */
    private static final Duration OUT_OF_MEMORY_DEADLINE = Duration.ofSeconds(20);

    private static final Duration ATTACH_DEADLINE = Duration.ofSeconds(5);
    private static final Duration CLIENTS_DEADLINE = Duration.ofSeconds(1);
    private static final int MAX_SHOWN = 256 * 1024;
    private static final int CONSOLE_BYTES = 8192;
    private static final int CONSOLE_LINES = 15;
    private static final int CONSOLE_CHARS = 2000;

    private final EventLoop loop;
    private final MonitorLog log;
    private final SessionRouter router;
    private final Clients clients;
    private final List<Child> children = new ArrayList<>();
    private final Tail console = new Tail(CONSOLE_BYTES);
    private final List<String> unsaid = new ArrayList<>();
    private @Nullable Consumer<Runnable> onOutOfMemory;
    private @Nullable Client main;
    private @Nullable Verdict verdict;
    private boolean gone;
    private boolean exhausting;
    private boolean delivering;
    private boolean told;

    public Ending(EventLoop loop, MonitorLog log, SessionRouter router, Clients clients) {
        this.loop = loop;
        this.log = log;
        this.router = router;
        this.clients = clients;
    }

    /** One more child that is not to be left behind. */
    public void add(Child child) {
        children.add(child);
    }

    /** Whether it is one of the children that count. */
    public boolean has(Child child) {
        return children.contains(child);
    }

    /** Whether one of the children ended by an assertion of its own. */
    public boolean anyAborted() {
        for (Child child : children) {
            if (child.hasAborted()) {
                return true;
            }
        }
        return false;
    }

    /** Ends the children and forgets them: others take their places. */
    public void replaceChildren() throws DkvmException {
        try {
            for (Child child : children) {
                child.killAndWait();
            }
        } catch (InterruptedException e) {
            throw new DkvmException("interrupted", "", e);
        }
        children.clear();
    }

    /** How the VM was lost: by the child that failed, not by one that followed it. */
    public String obituary() {
        Child culprit = null;
        for (Child child : children) {
            if (child.hasEnded() && (culprit == null || !culprit.hasFailed())) {
                culprit = child;
            }
        }
        return culprit == null ? "the VM is gone" : culprit.obituary();
    }

    public void setMain(Client client) {
        main = client;
        for (String text : unsaid) {
            notice(client, "dkvm: " + text + "\n");
        }
    }

    /** Something to say on the container's standard error although all is well, as soon as there is somebody to tell; a client that does not read misses it. */
    public void say(String text) {
        log.line(text);
        Client client = main;
        if (client == null) {
            unsaid.add(text);
        } else if (!client.isEnded() && showsMore()) {
            notice(client, "dkvm: " + text + "\n");
        }
    }

    /** What is done when a VM that ran out of memory is gone, before anybody hears of its end; it runs what it is given when it is done. */
    public void onOutOfMemory(Consumer<Runnable> task) {
        onOutOfMemory = task;
    }

    /** Where the console's last bytes are kept. */
    public Tail console() {
        return console;
    }

    /** The text with the console's last lines, where it said anything. */
    public String withConsole(String text) {
        String last = GuestText.tail(GuestText.lines(console.toBytes()), CONSOLE_LINES, CONSOLE_CHARS);
        return last.isEmpty() ? text : text + "\nthe guest's console said last:\n" + last;
    }

    /** Shows what the console says on the container's standard error ({@code DKVM_KERNEL_DEBUG}). */
    public void show(byte[] text) {
        Client client = main;
        if (client != null && !client.isEnded()) {
            Replies.notice(client, text);
        }
    }

    /** Whether the main client is there and takes more of the console; when not, the guest's serial port waits. */
    public boolean showsMore() {
        Client client = main;
        return client != null && client.output().backlog() < MAX_SHOWN;
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
        for (Child child : children) {
            child.kill();
        }
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
        boolean all = true;
        for (Child child : children) {
            all &= child.hasEnded();
        }
        if (all && !gone) {
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
        Client client = main;
        if (!delivering) {
            return;
        }
        if (!told && client != null) {
            told = true;
            tell(client);
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
                if (main == null) {
                    loop.stop();
                }
            });
        }
    }

    private void tell(Client client) {
        Verdict reached = verdict;
        if (reached == null || client.isEnded()) {
            return;
        }
        ByteBuffer refusal = reached.refusal();
        if (!reached.notice().isEmpty()) {
            notice(client, "dkvm: " + reached.notice() + "\n");
        }
        if (refusal != null) {
            Replies.refuseMain(client, refusal);
        } else {
            Replies.exit(client, reached.exitCode());
        }
    }

    private static void notice(Client client, String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        for (int from = 0; from < utf8.length; from += Replies.MAX_NOTICE) {
            Replies.notice(client, Arrays.copyOfRange(utf8, from, Math.min(utf8.length, from + Replies.MAX_NOTICE)));
        }
    }

    /** An exec client that does not read its last frames is not waited for; the main one is. */
    private void stopWithoutExecClients() {
        Client client = main;
        if (client == null || client.output().backlog() == 0) {
            loop.stop();
        } else {
            loop.after(CLIENTS_DEADLINE, () -> stopWithoutExecClients());
        }
    }
}
