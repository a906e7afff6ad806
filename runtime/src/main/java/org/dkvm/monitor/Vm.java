// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.dkvm.agent.AgentControl;
import org.dkvm.agent.AgentEvents;
import org.dkvm.agent.Client;
import org.dkvm.agent.Finished;
import org.dkvm.agent.FrameType;
import org.dkvm.agent.GuestText;
import org.dkvm.agent.Hello;
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
import org.dkvm.monitor.program.Children;
import org.dkvm.monitor.program.Tail;
import org.dkvm.monitor.services.GuestServices;
import org.dkvm.monitor.start.Deadlines;
import org.dkvm.monitor.start.GuestSetup;
import org.dkvm.monitor.start.Handshake;
import org.dkvm.monitor.start.Pause;
import org.dkvm.monitor.start.Phase;
import org.dkvm.monitor.start.PhaseClock;
import org.dkvm.monitor.start.Places;
import org.dkvm.monitor.start.Timeline;
import org.jspecify.annotations.Nullable;

/** A VM's life, phase by phase: its guest's agent greets, is told what to be, runs the container, and finishes; or the VM is lost. */
final class Vm implements AgentEvents, Container.Events, AgentLink.Events {
    /** QEMU closes its sockets on its way down: how it ended is known soon. */
    private static final Duration CLOSED_DELAY = Duration.ofSeconds(2);

    private static final int MAX_RESTARTS = 1;

    /** QEMU's words for EBUSY of KVM_CREATE_VM. */
    private static final String KVM_IS_BUSY = "failed to initialize kvm: Device or resource busy";

    private static final int SIGNAL_BASE = 128;
    private static final Duration LOSS_DELAY = Duration.ofMillis(200);
    private static final byte[] NOTHING = {};
    private static final int CONSOLE_BYTES = 8192;
    private static final int CONSOLE_LINES = 15;
    private static final int CONSOLE_CHARS = 2000;

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
    private final VmUsage usage;
    private final Container container;
    private final PodMembers members;
    private final Children children = new Children();
    private final Tail console = new Tail(CONSOLE_BYTES);

    private @Nullable GuestSetup setup;
    private @Nullable AgentLink agent;
    private @Nullable Restart restart;
    private @Nullable BiConsumer<Client, VmLimits> onUpdate;
    private @Nullable Hello early;
    private EventLoop.@Nullable Timer restoreTimer;
    private boolean restoring;
    private boolean loaded;
    private boolean greeted;
    /** How often QEMU has been started again. */
    private int life;
    /** … of these, because it could not be restored. */
    private int restores;

    Vm(EventLoop loop, MonitorLog log, Timeline timeline, Places places, Deadlines deadlines) {
        this.loop = loop;
        this.log = log;
        this.timeline = timeline;
        this.places = places;
        clock = new PhaseClock(loop, deadlines, this::late);
        container = new Container(this, log, timeline);
        router = new SessionRouter(container);
        members = new PodMembers(router, places, log);
        clients = new Clients(loop, router, log);
        ending = new Ending(loop, log, router, clients, children, container.main());
        pause = new Pause(router);
        services = new GuestServices(loop);
        usage = new VmUsage(loop, this, deadlines.step());
        control = new AgentControl(this, services, router);
    }

    Clients clients() {
        return clients;
    }

    GuestServices services() {
        return services;
    }

    /** The exit code that this process ends with, too. */
    int exitCode() {
        return ending.exitCode();
    }

    /** What is done when a VM that ran out of memory is gone, before anybody hears of its end; it runs what it is given when it is done. */
    void onOutOfMemory(Consumer<Runnable> task) {
        ending.onOutOfMemory(task);
    }

    /** The container that it starts with. */
    Container container() {
        return container;
    }

    /** The programs that it consists of. */
    Children children() {
        return children;
    }

    /** Where the console's last bytes are kept. */
    Tail console() {
        return console;
    }

    Pause pause() {
        return pause;
    }

    /** Starts virtiofsd and QEMU once more. */
    @FunctionalInterface
    interface Restart {
        /**
         * Starts them.
         *
         * @param translated whether without KVM
         */
        void run(boolean translated);
    }

    /** Whether the sandbox's end has begun. */
    boolean isOver() {
        return clock.phase() == Phase.OVER;
    }

    /**
     * QEMU has been started; the rest comes by itself.
     *
     * @param again starts virtiofsd and QEMU once more, for a QEMU that an assertion of its own ended before the guest said a word: emulated processors race while the
     *     firmware maps its devices; or for one that did not get the processor's extension, which another program has
     */
    void await(GuestSetup told, Restart again) {
        setup = told;
        restart = again;
        clock.begin(told.plan());
    }

    /** It is being restored, after {@link #await}, until its machine is ready: it boots where that fails. */
    void restoring() {
        restoring = true;
    }

    /** … or takes too long, from now on. */
    void restoreWithin(Duration deadline) {
        restoreTimer = loop.after(
                deadline, () -> restoreFailed("it did not answer within " + deadline.toMillis() + " ms", true));
    }

    /** It goes on from where its template was saved, and has its network cards. */
    void restored() {
        loaded = true;
        timeline.restored();
        Hello said = early;
        if (restoring && said != null) {
            hello(said);
        }
    }

    /**
     * It can not be restored, and boots.
     *
     * @param blamed whether it is the template's fault
     */
    void restoreFailed(String reason, boolean blamed) {
        Restart again = restart;
        if (!restoring || again == null || clock.phase() == Phase.OVER) {
            return;
        }
        restoring = false;
        endRestoreTimer();
        log.line("the VM can not be restored from its template, and boots: " + reason);
        // Once the agent has spoken, the template is as good as it was when it was made.
        if (blamed && !greeted) {
            tellHost();
        }
        timeline.booted();
        loaded = false;
        greeted = false;
        life++;
        restores++;
        early = null;
        control.again();
        bootAgain(again, false);
    }

    /** That template is not used again. */
    private void tellHost() {
        try {
            Files.writeString(places.notRestored(), "");
        } catch (IOException e) {
            log.line("can not tell that the template is not good: " + e);
        }
    }

    private void endRestoreTimer() {
        EventLoop.Timer timer = restoreTimer;
        if (timer != null) {
            timer.cancel();
        }
    }

    /** What is to be done when somebody wants the VM to have other limits. */
    void onUpdate(BiConsumer<Client, VmLimits> task) {
        onUpdate = task;
    }

    /** Its further containers. */
    PodMembers members() {
        return members;
    }

    /** Whether the workload runs. */
    boolean isRunning() {
        return clock.phase() == Phase.RUNNING;
    }

    /** Whether the workload has been started. */
    boolean hasStarted() {
        return clock.phase().isStarted();
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
        } else if (children.has(child)) {
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
        if (restoring) {
            // That somebody else uses the host's KVM is no fault of the template.
            restoreFailed(children.obituary(), !loaded && children.qemuGaveUp() && !children.anySaid(KVM_IS_BUSY));
            return;
        }
        Restart again = restart;
        GuestSetup told = setup;
        if (life - restores < MAX_RESTARTS && !greeted && again != null && told != null) {
            boolean busy = told.plan().vm().shape().processor().kvm().replaceable() && children.anySaid(KVM_IS_BUSY);
            if (busy || children.anyAborted()) {
                life++;
                bootAgain(again, busy);
                return;
            }
        }
        lose(children.obituary());
    }

    /** What ends the VM of now; nothing once it has been started again. One that is being restored boots. */
    Consumer<String> loser() {
        int lost = life;
        return reason -> {
            if (lost == life && restoring) {
                restoreFailed(reason, true);
            } else if (lost == life) {
                lose(reason);
            }
        };
    }

    /** The VM is gone, or can not go on. */
    void lose(String reason) {
        Verdict verdict = container.outcome();
        end(
                verdict != null
                        ? verdict
                        : Verdict.failed(
                                clock.phase().isStarted(),
                                withConsole(reason + "\nthe VM was lost while DKVM waited for "
                                        + clock.phase().waitsFor())));
    }

    private void bootAgain(Restart again, boolean translated) {
        if (translated) {
            container.main().say("KVM is in use by another program: this VM runs with TCG, which is slower");
        }
        log.line("the VM is started again: " + children.obituary());
        AgentLink link = agent;
        if (link != null) {
            link.close();
            agent = null;
        }
        clock.endBoot();
        try {
            children.replace();
            again.run(translated);
        } catch (DkvmException e) {
            fail(e.text());
        }
    }

    @Override
    public void hello(Hello hello) {
        if (restoring && !loaded) {
            early = hello;
            return;
        }
        endRestoreTimer();
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
            byte[] records = services.withSockets(told.container());
            Handshake.send(link.output(), machine, records);
            greeted = true;
            clock.setUp();
            openMain();
        } catch (DkvmException e) {
            fail(e.text());
        }
    }

    @Override
    public void ready(List<ReadyStep> steps) {
        timeline.mark("ready");
        timeline.guest(steps);
        clock.enter(Phase.OPENING);
        if (restoring) {
            restoring = false;
            openMain();
        }
        router.ready();
        services.ready();
    }

    @Override
    public void failed(int step, String text) {
        ReadyStep at = new ReadyStep(step, 0);
        String failure = "the guest could not be set up (" + at.label() + "): " + text;
        if (restoring && at.isMachines()) {
            int lost = life;
            // What else it said is read first.
            loop.post(() -> {
                if (lost == life) {
                    restoreFailed(failure, false);
                }
            });
            return;
        }
        acknowledge();
        fail(failure);
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
        Verdict verdict = container.outcome();
        boolean refused = verdict != null && verdict.refusal() != null;
        end(verdict != null && refused ? verdict : Verdict.finished(finished.exitCode(), finished.outOfMemory()));
    }

    @Override
    public void attached(Client client) {
        pause.attached(client);
        openMain();
    }

    @Override
    public void memberAttached(Client client) {
        AgentLink link = agent;
        if (link == null || clock.phase() == Phase.OVER) {
            router.refuseMember(client, "the VM has ended");
        } else {
            members.start(client, link.output());
        }
    }

    @Override
    public void memberOpened(int number) {
        members.opened(number);
    }

    @Override
    public void memberEnded(int number) {
        members.ended(number);
    }

    @Override
    public void memberUpdated(Client client) {
        AgentLink link = agent;
        if (link != null) {
            members.update(client, link.output());
        }
    }

    @Override
    public void containerLimitsDone(int number, int result) throws ProtocolException {
        members.limitsDone(number, result);
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
        clock.enter(Phase.RUNNING);
        timeline.save(places.timeline(), log);
    }

    @Override
    public void ended() {
        clock.finish(deadline -> {
            log.line("the guest did not finish within " + deadline);
            Verdict verdict = container.outcome();
            end(verdict != null ? verdict : Verdict.failed(true, "the guest did not finish"));
        });
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
    public void usageAsked(Client client) {
        usage.take(client);
    }

    @Override
    public void abandoned() {
        end(Verdict.failed(clock.phase().isStarted(), "the sandbox's init has gone"));
    }

    @Override
    public void broken(ProtocolException breach) {
        if (restoring) {
            restoreFailed("the guest broke the protocol: " + breach.text(), true);
            return;
        }
        fail("the guest broke the protocol: " + breach.text());
    }

    @Override
    public void closed() {
        log.line("the agent channel was closed");
        // QEMU is dying: how is known in a moment.
        int lost = life;
        loop.after(CLOSED_DELAY, () -> {
            if (lost == life && restoring) {
                restoreFailed("QEMU closed the agent channel", false);
            } else if (lost == life) {
                fail("QEMU closed the agent channel");
            }
        });
    }

    private void openMain() {
        AgentLink link = agent;
        GuestSetup told = setup;
        // What a restored guest is given of the client's input would be lost with it.
        if (greeted && !restoring && link != null && told != null && clock.phase() != Phase.OVER) {
            try {
                container.open(router, link.output(), told);
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
        String waited =
                "waited " + deadline.toSeconds() + " s for " + clock.phase().waitsFor();
        if (restoring) {
            restoreFailed(waited, true);
            return;
        }
        fail(withConsole(waited + "; DKVM_KERNEL_DEBUG=1 shows the kernel's messages"));
    }

    /** The text with the console's last lines, where it said anything. */
    private String withConsole(String text) {
        String last = GuestText.tail(GuestText.lines(console.toBytes()), CONSOLE_LINES, CONSOLE_CHARS);
        return last.isEmpty() ? text : text + "\nthe guest's console said last:\n" + last;
    }

    private void end(Verdict verdict) {
        if (clock.phase() == Phase.OVER) {
            return;
        }
        clock.enter(Phase.OVER);
        timeline.save(places.timeline(), log);
        services.end();
        usage.end();
        members.end();
        AgentLink link = agent;
        if (link != null) {
            link.close();
        }
        ending.begin(verdict);
    }
}
