// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;
import org.dkvm.agent.AgentControl;
import org.dkvm.agent.AgentEvents;
import org.dkvm.agent.Client;
import org.dkvm.agent.Finished;
import org.dkvm.agent.Frame;
import org.dkvm.agent.FrameOutput;
import org.dkvm.agent.FrameType;
import org.dkvm.agent.GuestText;
import org.dkvm.agent.Hello;
import org.dkvm.agent.MainSession;
import org.dkvm.agent.ProtocolException;
import org.dkvm.agent.ReadyStep;
import org.dkvm.agent.Sender;
import org.dkvm.agent.SessionRouter;
import org.dkvm.agent.VmLimits;
import org.dkvm.core.DkvmException;
import org.dkvm.monitor.end.Ending;
import org.dkvm.monitor.end.Verdict;
import org.dkvm.monitor.link.AgentLink;
import org.dkvm.monitor.link.Clients;
import org.dkvm.monitor.loop.EventLoop;
import org.dkvm.monitor.loop.MonitorLog;
import org.dkvm.monitor.loop.Sockets;
import org.dkvm.monitor.program.Child;
import org.dkvm.monitor.services.GuestServices;
import org.dkvm.monitor.start.Deadlines;
import org.dkvm.monitor.start.GuestSetup;
import org.dkvm.monitor.start.Pause;
import org.dkvm.monitor.start.Phase;
import org.dkvm.monitor.start.PhaseClock;
import org.dkvm.monitor.start.Places;
import org.dkvm.monitor.start.Timeline;
import org.jspecify.annotations.Nullable;

/** Takes a VM from its first frame to its last: handshake, set-up, sessions, the workload's exit, the guest's end. */
final class Relay implements AgentEvents, MainSession, AgentLink.Events {
    /** QEMU closes its sockets on its way down: how it ended is known soon. */
    private static final Duration CLOSED_DELAY = Duration.ofSeconds(2);

    private static final int MAX_RESTARTS = 1;
    private static final int SIGNAL_BASE = 128;
    private static final Duration LOSS_DELAY = Duration.ofMillis(200);
    private static final byte[] NOTHING = {};
    /** The number of the VM's one container. */
    private static final byte CONTAINER = 1;

    private static final String[] LEVELS = {"error", "warning", "info", "debug"};

    private final EventLoop loop;
    private final MonitorLog log;
    private final Timeline timeline;
    private final Places places;
    private final PhaseClock clock;
    private final Ending ending;
    private final SessionRouter router;
    private final Clients clients;
    private final AgentControl control;
    private final Pause pause;
    private final GuestServices services;

    private @Nullable GuestSetup setup;
    private @Nullable AgentLink agent;
    private @Nullable Client main;
    private @Nullable Verdict known;
    private @Nullable Runnable restart;
    private @Nullable Runnable onResize;
    private @Nullable BiConsumer<Client, VmLimits> onUpdate;
    private boolean greeted;
    /** How often QEMU has been started again. */
    private int life;

    Relay(EventLoop loop, MonitorLog log, Timeline timeline, Places places, Deadlines deadlines) {
        this.loop = loop;
        this.log = log;
        this.timeline = timeline;
        this.places = places;
        clock = new PhaseClock(loop, deadlines, this::late);
        router = new SessionRouter(this);
        clients = new Clients(loop, router, log);
        ending = new Ending(loop, log, router, clients);
        pause = new Pause(router);
        services = new GuestServices(loop);
        control = new AgentControl(this, services, router);
    }

    Clients clients() {
        return clients;
    }

    GuestServices services() {
        return services;
    }

    Ending ending() {
        return ending;
    }

    Pause pause() {
        return pause;
    }

    /** Whether the sandbox's end has begun. */
    boolean isOver() {
        return clock.phase() == Phase.OVER;
    }

    /**
     * QEMU has been started; the rest comes by itself.
     *
     * @param again starts virtiofsd and QEMU once more, for a QEMU that an assertion of its own ended before the guest said a word: emulated processors race while the
     *     firmware maps its devices
     */
    void await(GuestSetup told, Runnable again) {
        setup = told;
        restart = again;
        clock.begin(told.plan());
    }

    /** What is to be done when the container's terminal has another size. */
    void onResize(Runnable task) {
        onResize = task;
    }

    /** What is to be done when somebody wants the VM to have other limits. */
    void onUpdate(BiConsumer<Client, VmLimits> task) {
        onUpdate = task;
    }

    /** Whether the workload runs. */
    boolean isRunning() {
        return clock.phase() == Phase.RUNNING;
    }

    /** QEMU has opened the agent channel. */
    void agentConnected(SocketChannel channel) throws IOException {
        if (agent != null) {
            Sockets.close(channel);
            return;
        }
        AgentLink link = new AgentLink(channel, loop, Sender.AGENT, control, this);
        agent = link;
        services.connected(link);
        timeline.mark("agent channel");
        clock.enter(Phase.BOOTING);
    }

    /** What every round ends with. */
    void afterRound() {
        AgentLink link = agent;
        clients.update(link == null || !link.isFull());
        services.update(link != null && link.isFull());
        if (link != null) {
            link.update(services.takeMore());
        }
        ending.afterRound();
    }

    /** The boot, or the VM, failed. */
    void fail(String text) {
        end(Verdict.failed(clock.phase().isStarted(), text));
    }

    /** QEMU or virtiofsd has ended. */
    void childEnded(Child child) {
        if (clock.phase() == Phase.OVER) {
            ending.childEnded();
        } else if (ending.has(child)) {
            log.line(child.obituary());
            int lost = life;
            // One takes the other along: whose fault it was is known when both are gone.
            loop.after(LOSS_DELAY, () -> vmLost(lost));
        }
    }

    private void vmLost(int lost) {
        if (lost != life || clock.phase() == Phase.OVER) {
            return;
        }
        Runnable again = restart;
        if (life < MAX_RESTARTS && !greeted && again != null && ending.anyAborted()) {
            life++;
            bootAgain(again);
            return;
        }
        Verdict verdict = known;
        end(
                verdict != null
                        ? verdict
                        : Verdict.failed(
                                clock.phase().isStarted(),
                                ending.withConsole(ending.obituary() + "\nthe VM was lost while DKVM waited for "
                                        + clock.phase().waitsFor())));
    }

    private void bootAgain(Runnable again) {
        log.line("the VM is started again: " + ending.obituary());
        AgentLink link = agent;
        if (link != null) {
            link.close();
            agent = null;
        }
        clock.endBoot();
        try {
            ending.replaceChildren();
            again.run();
        } catch (DkvmException e) {
            fail(e.text());
        }
    }

    @Override
    public void hello(Hello hello) {
        timeline.mark("hello");
        timeline.hello(hello.bootNanos());
        log.line("guest kernel " + hello.release());
        AgentLink link = agent;
        GuestSetup told = setup;
        if (link == null || told == null) {
            fail("the guest's agent answered before QEMU was started");
            return;
        }
        try {
            byte[] machine = told.machine(Instant.now());
            byte[] container = services.withSockets(told.container());
            FrameOutput to = link.output();
            to.send(FrameType.WELCOME, 0, new byte[] {Frame.VERSION, 0, 0, 0});
            records(to, FrameType.MACHINE, NOTHING, machine);
            records(to, FrameType.CONTAINER, new byte[] {CONTAINER, 0, 0, 0}, container);
            to.send(FrameType.SET_UP, 0, NOTHING);
            greeted = true;
            clock.setUp();
            openMain();
        } catch (DkvmException e) {
            fail(e.text());
        }
    }

    /** In pieces, each after the same bytes; at least one piece. */
    private static void records(FrameOutput to, FrameType type, byte[] before, byte[] records) {
        int from = 0;
        do {
            int length = Math.min(Frame.DATA_PAYLOAD - before.length, records.length - from);
            byte[] piece = Arrays.copyOf(before, before.length + length);
            System.arraycopy(records, from, piece, before.length, length);
            to.send(type, 0, piece);
            from += length;
        } while (from < records.length);
    }

    @Override
    public void ready(List<ReadyStep> steps) {
        timeline.mark("ready");
        timeline.guest(steps);
        clock.enter(Phase.OPENING);
        router.ready();
        services.ready();
    }

    @Override
    public void failed(int step, String text) {
        acknowledge();
        fail("the guest could not be set up (" + new ReadyStep(step, 0).label() + "): " + text);
    }

    @Override
    public void log(int level, String text) {
        log.line("agent " + (level < LEVELS.length ? LEVELS[level] : "?") + ": " + text);
        clock.atWork();
    }

    @Override
    public void finished(Finished finished) {
        log.lastLine("guest finished: " + finished.reason() + ", exit code " + finished.exitCode()
                + (finished.overridden() ? ", set by hand" : "")
                + (finished.outOfMemory() ? ", ran out of memory" : ""));
        timeline.mark("finished");
        acknowledge();
        Verdict verdict = known;
        boolean refused = verdict != null && verdict.refusal() != null;
        end(verdict != null && refused ? verdict : Verdict.finished(finished.exitCode(), finished.outOfMemory()));
    }

    @Override
    public void attached(Client client) {
        main = client;
        ending.setMain(client);
        pause.attached(client);
        openMain();
    }

    @Override
    public void resumed() {
        pause.end();
    }

    @Override
    public void signalled(int number) {
        if (Pause.endsBy(number)) {
            end(Verdict.exited(SIGNAL_BASE + number));
        }
    }

    @Override
    public void opened() {
        timeline.mark("opened");
        clock.enter(Phase.RUNNING);
        timeline.save(places.timeline(), log);
    }

    @Override
    public void refused(int exitCode, byte[] payload) {
        log.line("the workload could not be started: "
                + GuestText.line(ByteBuffer.wrap(payload, 1, payload.length - 1)));
        known = Verdict.refused(exitCode, payload);
        awaitFinish();
    }

    @Override
    public void exited(int exitCode) {
        timeline.mark("exited");
        known = Verdict.exited(exitCode);
        awaitFinish();
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
        services.networkChanged();
    }

    @Override
    public void updated(Client client, VmLimits limits) {
        BiConsumer<Client, VmLimits> task = onUpdate;
        if (task != null) {
            task.accept(client, limits);
        }
    }

    @Override
    public void lost() {
        log.line("dkvm-init has gone");
        end(Verdict.failed(clock.phase().isStarted(), "the sandbox's init has gone"));
    }

    @Override
    public void broken(ProtocolException breach) {
        fail("the guest broke the protocol: " + breach.text());
    }

    @Override
    public void closed() {
        log.line("the agent channel was closed");
        // QEMU is dying: how is known in a moment.
        int lost = life;
        loop.after(CLOSED_DELAY, () -> {
            if (lost == life) {
                fail("QEMU closed the agent channel");
            }
        });
    }

    private void openMain() {
        AgentLink link = agent;
        Client client = main;
        GuestSetup told = setup;
        if (greeted && link != null && client != null && told != null && clock.phase() != Phase.OVER) {
            try {
                router.openMain(link.output(), client, told.process(client));
            } catch (DkvmException e) {
                fail(e.text());
            }
        }
    }

    private void acknowledge() {
        AgentLink link = agent;
        if (link != null) {
            link.output().send(FrameType.ACK, 0, NOTHING);
        }
    }

    private void late(Duration deadline) {
        fail(ending.withConsole("waited " + deadline.toSeconds() + " s for "
                + clock.phase().waitsFor() + "; DKVM_KERNEL_DEBUG=1 shows the kernel's messages"));
    }

    private void awaitFinish() {
        clock.finish(deadline -> {
            log.line("the guest did not finish within " + deadline);
            Verdict verdict = known;
            end(verdict != null ? verdict : Verdict.failed(true, "the guest did not finish"));
        });
    }

    private void end(Verdict verdict) {
        if (clock.phase() == Phase.OVER) {
            return;
        }
        clock.enter(Phase.OVER);
        timeline.save(places.timeline(), log);
        services.end();
        AgentLink link = agent;
        if (link != null) {
            link.close();
        }
        ending.begin(verdict);
    }
}
