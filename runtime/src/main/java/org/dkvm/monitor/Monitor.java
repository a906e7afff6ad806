// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor;

import java.io.IOException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import org.dkvm.bundle.plan.SandboxPlan;
import org.dkvm.bundle.plan.SandboxPlanJson;
import org.dkvm.core.DkvmException;
import org.dkvm.core.SandboxPaths;
import org.dkvm.core.machine.BreakPoint;
import org.dkvm.core.machine.Descriptor;
import org.dkvm.core.machine.DisplayMode;
import org.dkvm.core.machine.Firmware;
import org.dkvm.core.machine.NetworkMode;
import org.dkvm.json.Json;
import org.dkvm.linux.OpenFiles;
import org.dkvm.machine.Birth;
import org.dkvm.machine.BootFiles;
import org.dkvm.machine.Machine;
import org.dkvm.machine.QemuCommand;
import org.dkvm.machine.QemuDescriptors;
import org.dkvm.machine.TemplateMachine;
import org.dkvm.monitor.end.LostMachine;
import org.dkvm.monitor.link.ConsoleFile;
import org.dkvm.monitor.link.ConsoleLink;
import org.dkvm.monitor.link.MainClient;
import org.dkvm.monitor.link.QemuControl;
import org.dkvm.monitor.link.WithoutSequences;
import org.dkvm.monitor.loop.EventLoop;
import org.dkvm.monitor.loop.Listener;
import org.dkvm.monitor.loop.MonitorLog;
import org.dkvm.monitor.network.HotNetwork;
import org.dkvm.monitor.network.PortForwards;
import org.dkvm.monitor.program.Child;
import org.dkvm.monitor.program.ProgramStart;
import org.dkvm.monitor.program.Programs;
import org.dkvm.monitor.services.GuestFileEvents;
import org.dkvm.monitor.services.GuestLocks;
import org.dkvm.monitor.services.GuestSockets;
import org.dkvm.monitor.services.MemoryChange;
import org.dkvm.monitor.services.ShareFiles;
import org.dkvm.monitor.start.Deadlines;
import org.dkvm.monitor.start.Disks;
import org.dkvm.monitor.start.GuestSetup;
import org.dkvm.monitor.start.MountCheck;
import org.dkvm.monitor.start.Places;
import org.dkvm.monitor.start.Restore;
import org.dkvm.monitor.start.Screen;
import org.dkvm.monitor.start.Timeline;
import org.dkvm.monitor.start.VmNetwork;
import org.dkvm.network.NetworkDevice;
import org.dkvm.network.NetworkReader;
import org.dkvm.network.NetworkRequest;
import org.dkvm.network.Takeover;
import org.dkvm.share.VirtiofsdCommand;
import org.jspecify.annotations.Nullable;

/** A sandbox's life as a list of steps. */
public final class Monitor {
    private static final String INITRAMFS = "initramfs";
    private static final String INITRAMFS_MORE = "initramfs-more";

    /** The engine makes one change of a network at a time. */
    private static final int MORE_TAKEOVERS = 5;

    private static final String EXHAUST = SandboxPaths.PACKAGE + "/dkvm-exhaust";

    private final Places places;
    private final Programs programs;
    private final NetworkReader network;
    private final MonitorLog log;
    private final Timeline timeline;
    private final EventLoop loop;
    private final Vm vm;
    private final QemuControl control;
    private final List<ConsoleLink> consoles = new ArrayList<>();
    private final ConsoleFile consoleFile;
    /** The usual ones, until the plan has been read. */
    private Deadlines deadlines;

    private @Nullable VmUpdates updates;
    /** VNC's. */
    private Optional<String> password = Optional.empty();

    public Monitor(
            Places places,
            Programs programs,
            NetworkReader network,
            MonitorLog log,
            Timeline timeline,
            Deadlines deadlines)
            throws IOException {
        this.deadlines = deadlines;
        this.places = places;
        this.programs = programs;
        this.network = network;
        this.log = log;
        this.timeline = timeline;
        loop = new EventLoop();
        consoleFile = new ConsoleFile(places.console());
        vm = new Vm(loop, log, timeline, places, deadlines);
        control = new QemuControl(loop, log);
    }

    /**
     * Runs the sandbox to its end.
     *
     * @param sessions the session socket, listening
     * @return the container's exit code
     */
    public int run(ServerSocketChannel sessions) throws IOException {
        timeline.mark("monitor");
        Listener.of(sessions, loop, log, vm.clients()::accept);
        try {
            boot();
        } catch (DkvmException e) {
            vm.fail(e.text());
        }
        loop.run(this::afterRound);
        return vm.exitCode();
    }

    private void boot() throws DkvmException, IOException {
        SandboxPlan plan = SandboxPlanJson.fromJson(Json.readObject(places.plan()));
        deadlines = deadlines.of(plan);
        timeline.mark("plan");
        MountCheck mounts = MountCheck.of(places.mounts(), plan.mounts());
        if (plan.rights().memoryCeiling() > 0) {
            vm.onOutOfMemory(done -> tellEngine(ceiling(plan), done));
        }
        Disks disks = new Disks(plan.vm().disks(), plan.container().devices(), plan.mounts());
        disks.prepare(programs, vm.container().main()::say);
        Screen screen = new Screen(plan.vm().shape().display(), plan.mounts());
        password = screen.password(programs);
        Child share = startShare(plan);
        GuestSockets sockets = startSockets(plan);
        vm.services().locksBy(log, vm::fail, this::startLocks);
        vm.services().fileEventsBy(log, this::startFileEvents);
        listen(plan);
        if (!goesOnAt(BreakPoint.PRENET, plan)) {
            return;
        }
        VmNetwork vmNetwork = plan.vm().network() == NetworkMode.SHARED ? shareNetwork() : takeOverNetwork(plan);
        screen.check(vmNetwork);
        plan.vm()
                .shape()
                .hardware()
                .board()
                .checkRoom(disks.ofMachine().size(), vmNetwork.nics().size());
        if (!goesOnAt(BreakPoint.POSTNET, plan)) {
            return;
        }
        awaitShare(share);
        if (!haveReported(sockets)) {
            return;
        }
        SandboxPlan starting = vmNetwork.nics().size() > TemplateMachine.CARD_PORTS ? plan.booted() : plan;
        String initramfs = initramfs(disks, screen);
        Map<String, String> terminal = terminal(plan);
        Function<SandboxPlan, ProgramStart> qemu =
                of -> qemu(machine(of, vmNetwork, initramfs, disks), disks, terminal);
        if (!goesOnAt(BreakPoint.PREQEMU, plan)) {
            return;
        }
        vm.onUpdate((client, limits) -> updates(plan).take(client, limits));
        vm.members().growBy((bytes, told) -> updates(plan).atLeast(bytes, told));
        GuestSetup setup = new GuestSetup(starting, vmNetwork, mounts);
        await(setup, qemu, screen);
        if (starting.vm().restored()) {
            restore(qemu.apply(starting), vmNetwork);
        } else {
            startScreenServer(screen);
            startQemu(qemu.apply(starting));
        }
        timeline.mark("QEMU started");
        listenForward();
        Takeover takeover = vmNetwork.takeover();
        if (takeover != null) {
            Consumer<String> say = vm.container().main()::say;
            vm.services()
                    .networkBy(
                            link -> new HotNetwork(loop, log, programs, control, network, setup, takeover, link, say));
        }
        control.observe(new LostMachine(loop, control, vm::loser, vm.container().main()::say));
    }

    private void restore(ProgramStart qemu, VmNetwork network) {
        vm.restoring();
        try {
            startQemu(qemu);
            vm.restoreWithin(deadlines.restore());
            new Restore(control, network.nics(), vm::restored, vm::restoreFailed).begin();
        } catch (DkvmException e) {
            // What was connected for it, and closed, is to be seen before others connect.
            loop.post(() -> vm.restoreFailed(e.text(), e.text().contains(Restore.DAMAGED)));
        }
    }

    /** Waits for a person where that is asked for. False when the sandbox has come to its end meanwhile. */
    private boolean goesOnAt(BreakPoint point, SandboxPlan plan) throws IOException {
        if (plan.vm().breaks().contains(point)) {
            log.line("waiting for a person at " + point.label());
            vm.pause().begin(point);
            // The client is listened to from now on.
            afterRound();
            while (vm.pause().isOn() && !vm.isOver()) {
                loop.round(this::afterRound);
            }
            timeline.mark(point.label() + " left");
        }
        return !vm.isOver();
    }

    private void await(GuestSetup setup, Function<SandboxPlan, ProgramStart> qemu, Screen screen) {
        vm.await(setup, translated -> {
            try {
                SandboxPlan plan =
                        translated ? setup.plan().translated() : setup.plan().booted();
                Files.deleteIfExists(places.sockets().share());
                awaitShare(startShare(plan));
                startSockets(plan);
                startScreenServer(screen);
                startQemu(qemu.apply(plan));
                await(new GuestSetup(plan, setup.network(), setup.mounts()), qemu, screen);
            } catch (DkvmException e) {
                vm.fail(e.text());
            } catch (IOException e) {
                vm.fail("can not start the VM again: " + e.getMessage());
            }
        });
    }

    private Child startShare(SandboxPlan plan) throws DkvmException {
        Child share = start(
                "virtiofsd",
                ProgramStart.Kind.VIRTIOFSD,
                VirtiofsdCommand.argv(
                        places.share(),
                        places.sockets().share(),
                        plan.vm().shape().kernel().architecture(),
                        plan.rights().sysAdmin()));
        timeline.mark("virtiofsd started");
        new ShareFiles(
                        loop,
                        log,
                        () -> OpenFiles.limitOf(share.pid()),
                        () -> OpenFiles.countOf(share.pid()),
                        vm::isRunning,
                        vm.services()::shed)
                .start();
        return share;
    }

    /** Nothing where the container has no socket of the host's. */
    private @Nullable GuestSockets startSockets(SandboxPlan plan) throws DkvmException {
        int count = plan.container().root().sockets();
        if (count == 0) {
            return null;
        }
        GuestSockets sockets = vm.services().openSockets(log, vm::fail);
        Listener.at(places.guestSockets(), loop, log, sockets::connected);
        start("dkvm-sockets", ProgramStart.Kind.SOCKETS, GuestSockets.argv(places.guestSockets(), count));
        return sockets;
    }

    /** At the guest's first lock of a file that others use, too. */
    private void startLocks(GuestLocks locks) throws DkvmException {
        Listener.at(places.guestLocks(), loop, log, locks::connected);
        start("dkvm-locks", ProgramStart.Kind.LOCKS, GuestLocks.argv(places.guestLocks(), places.share()));
        loop.after(deadlines.step(), () -> {
            if (!locks.isConnected() && !vm.isOver()) {
                vm.fail("dkvm-locks did not start");
            }
        });
    }

    /** The VM goes on without them. */
    private void startFileEvents(GuestFileEvents events) throws DkvmException {
        Listener.at(places.fileEvents(), loop, log, events::connected);
        ProgramStart program =
                ProgramStart.of(ProgramStart.Kind.EVENTS, GuestFileEvents.argv(places.fileEvents(), places.share()));
        start("dkvm-events", program, ended -> {
            if (vm.isOver()) {
                vm.childEnded(ended);
            } else {
                vm.children().forget(ended);
                events.ended(ended.obituary());
            }
        });
        loop.after(deadlines.step(), events::late);
    }

    /** Where a screen is to be seen in a browser. */
    private void startScreenServer(Screen screen) throws DkvmException {
        Optional<ProgramStart> server = screen.server();
        if (server.isPresent()) {
            start("dkvm-web", server.get(), this::screenServerEnded);
        }
    }

    /** One that could not serve ends the start. Somebody from outside may bring it to its end later, as it reads what they send: the VM goes on without it. */
    private void screenServerEnded(Child server) {
        if (vm.isOver()) {
            vm.childEnded(server);
        } else if (vm.children().has(server)) {
            // How the VM ends one day is not its doing.
            vm.children().forget(server);
            if (server.said(Screen.SERVES) || vm.hasStarted()) {
                vm.container()
                        .main()
                        .say("the screen can not be seen in a browser any more, until the container is started again: "
                                + server.obituary());
            } else {
                vm.fail(server.obituary());
            }
        }
    }

    /** The guest is told what its sockets are like. False when the sandbox has come to its end meanwhile. */
    private boolean haveReported(@Nullable GuestSockets sockets) throws IOException {
        if (sockets == null) {
            return true;
        }
        EventLoop.Timer timer =
                loop.after(deadlines.step(), () -> vm.fail("dkvm-sockets did not say what the sockets are like"));
        while (!sockets.haveReported() && !vm.isOver()) {
            loop.round(this::afterRound);
        }
        timer.cancel();
        timeline.mark("sockets looked at");
        return !vm.isOver();
    }

    /** A pod's localhost can be reached from outside: dkvm-init starts dkvm-forward when somebody wants to. */
    private void listenForward() throws DkvmException {
        if (Files.isDirectory(places.plans())) {
            Listener.at(places.forward(), loop, log, program -> vm.services().forwards(program, log));
        }
    }

    private void listen(SandboxPlan plan) throws DkvmException {
        boolean shown = plan.vm().shape().kernel().debug() || plan.vm().shape().firmwareDebug();
        Listener.at(places.sockets().agent(), loop, log, vm::agentConnected);
        Listener.at(places.sockets().control(), loop, log, control::connected);
        Listener.at(
                places.sockets().console(),
                loop,
                log,
                channel -> consoleConnected(
                        channel, shown, plan.vm().shape().hardware().firmware()));
    }

    /** The engine may connect and disconnect networks meanwhile: what was read is taken over where it has stayed what it was. */
    private VmNetwork takeOverNetwork(SandboxPlan plan) throws DkvmException {
        for (int more = MORE_TAKEOVERS; ; more--) {
            List<NetworkDevice> devices = List.of();
            try {
                programs.watchNetwork();
                giveBack(network.left());
                devices = network.readAll();
                NetworkReader.check(devices);
                timeline.mark("network read");
                Takeover takeover =
                        Takeover.of(devices, plan.vm().shape().display().port());
                for (NetworkRequest request : takeover.requests()) {
                    programs.change(request);
                    timeline.mark("network taken over");
                }
                return VmNetwork.of(takeover, network.withoutIpv6(devices));
            } catch (DkvmException e) {
                if (more == 0 || isNetwork(devices)) {
                    throw e;
                }
                log.line("the sandbox's network has changed while it was taken over: " + e.text());
            }
        }
    }

    private boolean isNetwork(List<NetworkDevice> devices) {
        try {
            return network.readAll().equals(devices);
        } catch (DkvmException e) {
            // A device went while it was read.
            return false;
        }
    }

    /** A pod's namespace is as the VM before left it. */
    private void giveBack(List<Takeover.Left> left) throws DkvmException {
        for (Takeover.Left one : left) {
            programs.change(new NetworkRequest.Release(one));
        }
    }

    /** Others live in this namespace: nothing in it is changed, and the guest's ports are opened as it listens at them. */
    private VmNetwork shareNetwork() throws DkvmException {
        vm.services().share(new PortForwards(loop, control, log, vm.container().main()::say));
        return VmNetwork.of(network.shared(), network.withoutIpv6(List.of()));
    }

    /** virtiofsd's socket is there when it listens: bind and listen follow each other at once, and QEMU needs longer to get there. */
    private void awaitShare(Child share) throws DkvmException {
        Path socket = places.sockets().share();
        long deadline = System.nanoTime() + deadlines.step().toNanos();
        try {
            while (!Files.exists(socket)) {
                if (share.hasEnded()) {
                    throw new DkvmException(share.obituary(), "");
                }
                if (System.nanoTime() - deadline > 0) {
                    throw new DkvmException("virtiofsd did not listen on \"" + socket + "\"", "");
                }
                Thread.sleep(1);
            }
        } catch (InterruptedException e) {
            throw new DkvmException("interrupted", "", e);
        }
        timeline.mark("virtiofsd listens");
    }

    private Child start(String name, ProgramStart.Kind kind, List<String> argv) throws DkvmException {
        return start(name, ProgramStart.of(kind, argv), vm::childEnded);
    }

    private Child start(String name, ProgramStart start, Consumer<Child> onEnd) throws DkvmException {
        Child child = Child.start(name, start, programs, log, ended -> loop.post(() -> onEnd.accept(ended)));
        vm.children().add(child);
        return child;
    }

    /** The variables of QEMU that draws on the container's terminal; none of one that does not. */
    private Map<String, String> terminal(SandboxPlan plan) throws DkvmException {
        return plan.vm().shape().display().mode() == DisplayMode.CURSES
                ? Screen.environment(plan.container().process().command().env(), places.terminfo())
                : Map.of();
    }

    private static ProgramStart qemu(Machine machine, Disks disks, Map<String, String> terminal) {
        List<Descriptor> descriptors = new ArrayList<>(QemuDescriptors.of(machine));
        descriptors.addAll(disks.files());
        return new ProgramStart(
                ProgramStart.Kind.QEMU, QemuCommand.argv(machine), descriptors, !terminal.isEmpty(), terminal);
    }

    private void startQemu(ProgramStart qemu) throws DkvmException {
        log.line("QEMU's command line: " + String.join(" ", qemu.argv()));
        Child child = start(Child.QEMU, qemu, qemu.terminal() ? this::screenEnded : vm::childEnded);
        if (qemu.terminal()) {
            vm.container().onResize(() -> Screen.resize(child));
        }
        password.ifPresent(text -> Screen.protect(text, control, vm::fail));
    }

    /** The control group is to have the event that the engine knows a container without memory by. */
    private void tellEngine(long ceiling, Runnable done) {
        try {
            Child.start(
                    "dkvm-exhaust",
                    ProgramStart.of(ProgramStart.Kind.EXHAUST, List.of(EXHAUST, Long.toString(ceiling))),
                    programs,
                    log,
                    ended -> loop.post(() -> {
                        log.line(ended.obituary());
                        done.run();
                    }));
        } catch (DkvmException e) {
            log.line(e.text());
            done.run();
        }
    }

    private long ceiling(SandboxPlan plan) {
        VmUpdates made = updates;
        return made == null ? plan.rights().memoryCeiling() : made.ceiling();
    }

    /** Made when it is first wanted. */
    private VmUpdates updates(SandboxPlan plan) {
        VmUpdates made = updates;
        if (made == null) {
            made = new VmUpdates(
                    plan.vm().shape().size(),
                    plan.rights().memoryCeiling(),
                    loop,
                    vm,
                    new MemoryChange(plan.vm().shape().size(), loop, control),
                    log);
            updates = made;
        }
        return made;
    }

    private void screenEnded(Child qemu) {
        if (qemu.hasFailed()) {
            vm.container().main().show(Screen.SANE.getBytes(StandardCharsets.US_ASCII));
        }
        vm.childEnded(qemu);
    }

    private Machine machine(SandboxPlan plan, VmNetwork vmNetwork, String initramfs, Disks disks) {
        return new Machine(
                plan.vm().shape(),
                new BootFiles(places.kernel(), initramfs),
                vmNetwork.nics(),
                disks.ofMachine(),
                places.sockets(),
                plan.vm().restored() ? Birth.RESTORE : Birth.BOOT);
    }

    /** The one with more modules where they are needed; a kernel that somebody brought may have none and need none. */
    private String initramfs(Disks disks, Screen screen) {
        return (disks.needModules() || screen.needsModules())
                        && Files.exists(places.kernel().resolve(INITRAMFS_MORE))
                ? INITRAMFS_MORE
                : INITRAMFS;
    }

    private void consoleConnected(SocketChannel channel, boolean shown, Firmware firmware) throws IOException {
        MainClient main = vm.container().main();
        Consumer<byte[]> show = firmware == Firmware.EFI ? new WithoutSequences(main::show) : main::show;
        consoles.add(
                shown
                        ? new ConsoleLink(channel, loop, vm.console(), consoleFile, show, main::showsMore)
                        : new ConsoleLink(channel, loop, vm.console(), consoleFile, text -> {}, () -> true));
    }

    private void afterRound() {
        for (ConsoleLink console : consoles) {
            console.update();
        }
        vm.afterRound();
    }
}
