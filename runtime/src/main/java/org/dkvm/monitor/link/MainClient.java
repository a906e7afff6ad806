// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.link;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.dkvm.agent.Client;
import org.dkvm.agent.Replies;
import org.dkvm.monitor.loop.MonitorLog;
import org.jspecify.annotations.Nullable;

/** Who has a container's standard input and output, dkvm-init: told on standard error what the VM's user is to know, and how the container ended. */
public final class MainClient {
    private static final int MAX_SHOWN = 256 * 1024;

    private final MonitorLog log;
    private final List<String> unsaid = new ArrayList<>();
    private @Nullable Client client;

    public MainClient(MonitorLog log) {
        this.log = log;
    }

    /** It is there, and hears what was said before. */
    public void attached(Client attached) {
        client = attached;
        for (String text : unsaid) {
            notice(attached, "dkvm: " + text + "\n");
        }
    }

    public boolean isThere() {
        return client != null;
    }

    /** Something to say although all is well, as soon as there is somebody to tell; a client that does not read misses it. */
    public void say(String text) {
        log.line(text);
        Client to = client;
        if (to == null) {
            unsaid.add(text);
        } else if (!to.isEnded() && showsMore()) {
            notice(to, "dkvm: " + text + "\n");
        }
    }

    /** Shows what the console says ({@code DKVM_KERNEL_DEBUG}). */
    public void show(byte[] text) {
        Client to = client;
        if (to != null && !to.isEnded()) {
            Replies.notice(to, text);
        }
    }

    /** Whether it is there and takes more of the console; when not, the guest's serial port waits. */
    public boolean showsMore() {
        Client to = client;
        return to != null && to.output().backlog() < MAX_SHOWN;
    }

    /**
     * Its last words.
     *
     * @param notice what is said before; empty for nothing
     * @param refusal the agent's REFUSED instead of the exit code, when the process could not be started
     */
    public void end(String notice, @Nullable ByteBuffer refusal, int exitCode) {
        Client to = client;
        if (to == null || to.isEnded()) {
            return;
        }
        if (!notice.isEmpty()) {
            notice(to, "dkvm: " + notice + "\n");
        }
        if (refusal != null) {
            Replies.refuseMain(to, refusal);
        } else {
            Replies.exit(to, exitCode);
        }
    }

    /** Whether nothing is left that it has not read. */
    public boolean hasReadAll() {
        Client to = client;
        return to == null || to.output().backlog() == 0;
    }

    private static void notice(Client to, String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        for (int from = 0; from < utf8.length; from += Replies.MAX_NOTICE) {
            Replies.notice(to, Arrays.copyOfRange(utf8, from, Math.min(utf8.length, from + Replies.MAX_NOTICE)));
        }
    }
}
