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
import java.util.function.Consumer;
import org.dkvm.bundle.SandboxPlan;
import org.dkvm.bundle.SandboxPlanJson;
import org.dkvm.core.BreakPoint;
import org.dkvm.core.DisplayMode;
import org.dkvm.core.DkvmException;
import org.dkvm.core.Firmware;
import org.dkvm.json.Json;
import org.dkvm.machine.Machine;
import org.dkvm.machine.MachineNic;
import org.dkvm.machine.QemuCommand;
import org.dkvm.network.NetworkDevice;
import org.dkvm.network.NetworkReader;
import org.dkvm.network.Takeover;
import org.dkvm.share.VirtiofsdCommand;

/** A sandbox's life as a list of steps. */
final class Monitor {
    private static final String INITRAMFS = "initramfs";
    private static final String INITRAMFS_MORE = "initramfs-more";

    private final Places places;
    private final Programs programs;
    private final NetworkReader network;
    private final MonitorLog log;
    private final Timeline timeline;
    private final Deadlines deadlines;
    private final EventLoop loop;
    private final Relay relay;
    private final QemuControl control;
    private final List<ConsoleLink> consoles = new ArrayList<>();
    private final ConsoleFile consoleFile;

    Monitor(
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
        relay = new Relay(loop, log, timeline, places, deadlines);
        control = new QemuControl(loop, log);
    }

    /**
     * Runs the sandbox to its end.
     *
     * @param sessions the session socket, listening
     * @return the container's exit code
     */
    int run(ServerSocketChannel sessions) throws IOException {
        timeline.mark("monitor");
        Listener.of(sessions, loop, log, relay.clients()::accept);
        try {
            boot();
        } catch (DkvmException e) {
            relay.fail(e.text());
        }
        loop.run(this::afterRound);
        return relay.ending().exitCode();
    }

    private void boot() throws DkvmException, IOException {
        SandboxPlan plan = SandboxPlanJson.fromJson(Json.readObject(places.plan()));
        timeline.mark("plan");
        Disks disks = new Disks(plan.disks(), plan.devices(), places.share());
        disks.prepare(programs, relay.ending()::sayLater);
        Screen screen = new Screen(plan.display(), places);
        screen.prepare();
        Child share = startShare(plan);
        listen(plan);
        if (!goesOnAt(BreakPoint.PRENET, plan)) {
            return;
        }
        Takeover takeover = takeOverNetwork(plan.display().port());
        screen.check(takeover);
        plan.hardware()
                .board()
                .checkRoom(disks.ofMachine().size(), takeover.taps().size());
        if (!goesOnAt(BreakPoint.POSTNET, plan)) {
            return;
        }
        awaitShare(share);
        List<String> qemu = disks.around(QemuCommand.argv(machine(plan, takeover, initramfs(disks, screen), disks)));
        if (!goesOnAt(BreakPoint.PREQEMU, plan)) {
            return;
        }
        startQemu(plan, qemu);
        timeline.mark("QEMU started");
        List<NetworkDevice> devices = devices(takeover);
        await(new GuestSetup(plan, devices, network.withoutIpv6(devices)), qemu);
    }

    /** Waits for a person where that is asked for. False when the sandbox has come to its end meanwhile. */
    private boolean goesOnAt(BreakPoint point, SandboxPlan plan) throws IOException {
        if (plan.breaks().contains(point)) {
            log.line("waiting for a person at " + point.label());
            relay.pause().begin(point);
            // The client is listened to from now on.
            afterRound();
            while (relay.pause().isOn() && !relay.isOver()) {
                loop.round(this::afterRound);
            }
            timeline.mark(point.label() + " left");
        }
        return !relay.isOver();
    }

    private void await(GuestSetup setup, List<String> qemu) {
        relay.await(setup, () -> {
            try {
                Files.deleteIfExists(places.sockets().share());
                awaitShare(startShare(setup.plan()));
                startQemu(setup.plan(), qemu);
                await(setup, qemu);
            } catch (DkvmException e) {
                relay.fail(e.text());
            } catch (IOException e) {
                relay.fail("can not start the VM again: " + e.getMessage());
            }
        });
    }

    private Child startShare(SandboxPlan plan) throws DkvmException {
        Child share = start(
                "virtiofsd",
                VirtiofsdCommand.argv(
                        places.share(), places.sockets().share(), plan.kernel().architecture(), plan.sysAdmin()));
        timeline.mark("virtiofsd started");
        return share;
    }

    private void listen(SandboxPlan plan) throws DkvmException {
        boolean shown = plan.kernel().debug() || plan.biosDebug();
        Listener.at(places.sockets().agent(), loop, log, relay::agentConnected);
        Listener.at(places.sockets().control(), loop, log, control::connected);
        Listener.at(
                places.sockets().console(),
                loop,
                log,
                channel -> consoleConnected(channel, shown, plan.hardware().firmware()));
    }

    private Takeover takeOverNetwork(int ownPort) throws DkvmException {
        Takeover takeover = Takeover.of(network.read(), ownPort);
        timeline.mark("network read");
        if (!takeover.taps().isEmpty()) {
            programs.batch(List.of("/usr/bin/ip", "-batch", "-"), takeover.ipBatch());
            programs.batch(List.of("/usr/sbin/tc", "-batch", "-"), takeover.tcBatch());
            timeline.mark("network taken over");
        }
        return takeover;
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

    private Child start(String name, List<String> argv) throws DkvmException {
        Child child = Child.start(name, argv, programs, log, ended -> loop.post(() -> relay.childEnded(ended)));
        relay.ending().add(child);
        return child;
    }

    private void startQemu(SandboxPlan plan, List<String> argv) throws DkvmException {
        log.line("QEMU's command line: " + String.join(" ", argv));
        if (plan.display().mode() != DisplayMode.CURSES) {
            start("QEMU", argv);
            return;
        }
        Child child = Child.startOnTerminal(
                "QEMU",
                argv,
                places.sockets().terminal(),
                Screen.environment(plan.process().env(), places.terminfo()),
                programs,
                log,
                ended -> loop.post(() -> screenEnded(ended)));
        relay.ending().add(child);
        relay.onResize(() -> Screen.resize(child, programs, log));
    }

    private void screenEnded(Child qemu) {
        if (qemu.hasFailed()) {
            relay.ending().show(Screen.SANE.getBytes(StandardCharsets.US_ASCII));
        }
        relay.childEnded(qemu);
    }

    private Machine machine(SandboxPlan plan, Takeover takeover, String initramfs, Disks disks) {
        List<MachineNic> nics = new ArrayList<>();
        for (Takeover.Tap tap : takeover.taps()) {
            NetworkDevice device = tap.device();
            nics.add(new MachineNic(tap.name(), device.mac().toString(), device.mtu()));
        }
        return new Machine(
                plan.accelerator(),
                plan.cpus(),
                plan.memory(),
                plan.kernel(),
                places.kernel(),
                initramfs,
                nics,
                disks.ofMachine(),
                places.sockets(),
                plan.display(),
                plan.biosDebug(),
                plan.hardware(),
                plan.tscKilohertz());
    }

    /** The one with more modules where they are needed; a kernel that somebody brought may have none and need none. */
    private String initramfs(Disks disks, Screen screen) {
        return (disks.needModules() || screen.needsModules())
                        && Files.exists(places.kernel().resolve(INITRAMFS_MORE))
                ? INITRAMFS_MORE
                : INITRAMFS;
    }

    private static List<NetworkDevice> devices(Takeover takeover) {
        List<NetworkDevice> devices = new ArrayList<>();
        for (Takeover.Tap tap : takeover.taps()) {
            devices.add(tap.device());
        }
        return devices;
    }

    private void consoleConnected(SocketChannel channel, boolean shown, Firmware firmware) throws IOException {
        Ending ending = relay.ending();
        Consumer<byte[]> show = firmware == Firmware.EFI ? new WithoutSequences(ending::show) : ending::show;
        consoles.add(
                shown
                        ? new ConsoleLink(channel, loop, ending.console(), consoleFile, show, ending::showsMore)
                        : new ConsoleLink(channel, loop, ending.console(), consoleFile, text -> {}, () -> true));
    }

    private void afterRound() {
        for (ConsoleLink console : consoles) {
            console.update();
        }
        relay.afterRound();
    }
}
