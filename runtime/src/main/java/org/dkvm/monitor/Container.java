// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor;

import java.nio.ByteBuffer;
import org.dkvm.agent.Client;
import org.dkvm.agent.FrameOutput;
import org.dkvm.agent.GuestText;
import org.dkvm.agent.MainSession;
import org.dkvm.agent.SessionRouter;
import org.dkvm.agent.VmLimits;
import org.dkvm.core.DkvmException;
import org.dkvm.monitor.end.Verdict;
import org.dkvm.monitor.link.MainClient;
import org.dkvm.monitor.loop.MonitorLog;
import org.dkvm.monitor.start.GuestSetup;
import org.dkvm.monitor.start.Timeline;
import org.jspecify.annotations.Nullable;

/** A container of a VM: its main session, from its client's first frame to the exit code of its process. */
final class Container implements MainSession {
    /** What its VM hears of. */
    interface Events {
        /** The client of its main session is there. */
        void attached(Client client);

        /** The person at its terminal lets the launch go on. */
        void resumed();

        /** It was sent a signal before its process was there. */
        void signalled(int number);

        /** Its process runs. */
        void opened();

        /** Its process has ended, or could not be started: see {@link Container#outcome}. */
        void ended();

        /** The client of its main session has gone. */
        void abandoned();

        /** The client of a further container's main session is there, and the agent is ready. */
        void memberAttached(Client client);

        /** A further container's process runs. */
        void memberOpened(int container);

        /** A further container has ended. */
        void memberEnded(int container);

        /** A further container's plan has other limits. */
        void memberUpdated(Client client);

        /** The sandbox's network is another. */
        void networkChanged();

        /** Somebody wants the VM to have other limits. */
        void updated(Client client, VmLimits limits);

        /** A client wants to know what the guest uses. */
        void usageAsked(Client client);
    }

    private final Events events;
    private final MonitorLog log;
    private final Timeline timeline;
    private final MainClient main;
    private @Nullable Client client;
    private @Nullable Verdict outcome;
    private @Nullable Runnable onResize;

    Container(Events events, MonitorLog log, Timeline timeline) {
        this.events = events;
        this.log = log;
        this.timeline = timeline;
        main = new MainClient(log);
    }

    /** Who has its standard input and output. */
    MainClient main() {
        return main;
    }

    /** How its process ended; nothing before it did. */
    @Nullable
    Verdict outcome() {
        return outcome;
    }

    /** What is to be done when its terminal has another size. */
    void onResize(Runnable task) {
        onResize = task;
    }

    /** Asks the agent for its process, where there is somebody who wants it. */
    void open(SessionRouter router, FrameOutput agent, GuestSetup setup) throws DkvmException {
        Client from = client;
        if (from != null) {
            router.openMain(agent, from, setup.process(from));
        }
    }

    @Override
    public void attached(Client attached) {
        client = attached;
        main.attached(attached);
        events.attached(attached);
    }

    @Override
    public void resumed() {
        events.resumed();
    }

    @Override
    public void signalled(int number) {
        events.signalled(number);
    }

    @Override
    public void opened() {
        timeline.mark("opened");
        events.opened();
    }

    @Override
    public void refused(int exitCode, byte[] payload) {
        log.line("the workload could not be started: "
                + GuestText.line(ByteBuffer.wrap(payload, 1, payload.length - 1)));
        outcome = Verdict.refused(exitCode, payload);
        events.ended();
    }

    @Override
    public void exited(int exitCode) {
        timeline.mark("exited");
        outcome = Verdict.exited(exitCode);
        events.ended();
    }

    @Override
    public void resized() {
        Runnable task = onResize;
        if (task != null) {
            task.run();
        }
    }

    @Override
    public void networkChanged() {
        events.networkChanged();
    }

    @Override
    public void updated(Client from, VmLimits limits) {
        events.updated(from, limits);
    }

    @Override
    public void usageAsked(Client from) {
        events.usageAsked(from);
    }

    @Override
    public void memberAttached(Client attached) {
        events.memberAttached(attached);
    }

    @Override
    public void memberOpened(int container) {
        events.memberOpened(container);
    }

    @Override
    public void memberEnded(int container) {
        events.memberEnded(container);
    }

    @Override
    public void memberUpdated(Client from) {
        events.memberUpdated(from);
    }

    @Override
    public void lost() {
        log.line("dkvm-init has gone");
        events.abandoned();
    }
}
