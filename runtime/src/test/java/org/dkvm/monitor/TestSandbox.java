// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor;

import com.google.gson.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.dkvm.agent.FrameType;
import org.dkvm.bundle.plan.ContainerPlan;
import org.dkvm.bundle.plan.SandboxMounts;
import org.dkvm.bundle.plan.SandboxPlan;
import org.dkvm.bundle.plan.SandboxPlanJson;
import org.dkvm.bundle.plan.SandboxRights;
import org.dkvm.bundle.plan.VmPlan;
import org.dkvm.core.Architecture;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.core.container.CapabilitySets;
import org.dkvm.core.container.CgroupMode;
import org.dkvm.core.container.Command;
import org.dkvm.core.container.ContainerCgroup;
import org.dkvm.core.container.ContainerRoot;
import org.dkvm.core.container.HiddenPaths;
import org.dkvm.core.container.ProcessRights;
import org.dkvm.core.container.ProcessUser;
import org.dkvm.core.container.WorkloadProcess;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.core.machine.BreakPoint;
import org.dkvm.core.machine.Display;
import org.dkvm.core.machine.DisplayMode;
import org.dkvm.core.machine.GuestKernel;
import org.dkvm.core.machine.Hardware;
import org.dkvm.core.machine.HostNames;
import org.dkvm.core.machine.MachineShape;
import org.dkvm.core.machine.MachineSize;
import org.dkvm.core.machine.NetworkMode;
import org.dkvm.core.machine.Processor;
import org.dkvm.core.machine.Vga;
import org.dkvm.core.machine.VncPassword;
import org.dkvm.json.Json;
import org.dkvm.monitor.loop.MonitorLog;
import org.dkvm.monitor.program.ProgramStart;
import org.dkvm.monitor.program.Programs;
import org.dkvm.monitor.program.RunningProgram;
import org.dkvm.monitor.start.Deadlines;
import org.dkvm.monitor.start.Places;
import org.dkvm.monitor.start.Timeline;
import org.dkvm.network.NetworkReader;
import org.dkvm.network.NetworkRequest;

/** A monitor in a thread, with real sockets and no programs: virtiofsd and QEMU are processes in a test's hands. */
public final class TestSandbox implements Programs, AutoCloseable {
    static final int HELLO = 27;

    public final Places places;
    public final TestProcess share = new TestProcess();
    public final TestProcess qemu = new TestProcess();
    public final TestProcess connector = new TestProcess();
    public final TestProcess locks = new TestProcess();
    /** Whenever {@link #locks} was started, its command line. */
    public final List<List<String>> locksStarted = new CopyOnWriteArrayList<>();
    /** dkvm-events. */
    public final TestProcess watcher = new TestProcess();
    /** How often it was started. */
    public final AtomicInteger watchers = new AtomicInteger();

    public final TestProcess web = new TestProcess();
    /** Whenever {@link #web} was started, its command line. */
    public final List<List<String>> webStarted = new CopyOnWriteArrayList<>();

    /** What is started when the monitor starts them again. */
    final TestProcess secondShare = new TestProcess();

    public final TestProcess secondQemu = new TestProcess();

    public final TestProcess secondWeb = new TestProcess();
    /** What takes the container's memory when its VM had too little. */
    final TestProcess exhaust = new TestProcess();
    /** How much it is to take. */
    final List<String> exhausts = new CopyOnWriteArrayList<>();

    public final List<String> started = new CopyOnWriteArrayList<>();
    /** The terminals of those programs that have one, with the variable TERM. */
    public final List<String> terminals = new CopyOnWriteArrayList<>();

    /** How the network was changed. */
    public final List<NetworkRequest> changes = new CopyOnWriteArrayList<>();

    private final Map<String, String> addresses = new LinkedHashMap<>();
    private final Map<String, String> routes = new LinkedHashMap<>();
    private boolean networked;
    /** Devices that go when they are to be taken over; empty names a device that stays, and that fails all the same. */
    private final Deque<String> fleeting = new ConcurrentLinkedDeque<>();

    private final ByteArrayOutputStream log = new ByteArrayOutputStream();
    private final FutureTask<Integer> result;
    private final List<Peer> peers = new ArrayList<>();
    private boolean listens = true;
    private boolean memoryMissing;
    private boolean watcherMissing;
    private Deadlines deadlines = Deadlines.GENEROUS;

    public TestSandbox(Path directory) throws IOException {
        places = new Places(
                directory,
                directory.resolve("sandbox.json"),
                directory,
                directory,
                directory,
                directory.resolve("mountinfo"));
        Files.createDirectories(directory.resolve("sys/class/net"));
        Files.createDirectory(directory.resolve("log"));
        Files.writeString(places.mounts(), "600 500 0:53 / / ro,relatime - overlay overlay rw\n");
        Files.writeString(places.plan(), Json.write(SandboxPlanJson.toJson(plan(false, List.of(), Display.NONE))));
        result = new FutureTask<>(this::runMonitor);
    }

    /** virtiofsd never makes its socket. */
    void shareDoesNotListen() {
        listens = false;
    }

    public void deadlines(long stepMillis, long bootMillis, long finishMillis) {
        deadlines = new Deadlines(
                Duration.ofMillis(stepMillis),
                Duration.ofMillis(bootMillis),
                Duration.ofMillis(stepMillis / 2),
                Duration.ofMillis(finishMillis));
    }

    void kernelDebug() throws IOException {
        Files.writeString(places.plan(), Json.write(SandboxPlanJson.toJson(plan(true, List.of(), Display.NONE))));
    }

    public void breaks(BreakPoint... points) throws IOException {
        Files.writeString(
                places.plan(), Json.write(SandboxPlanJson.toJson(plan(false, List.of(points), Display.NONE))));
    }

    /** The VM is to run by KVM, in whose place TCG may come or may not. */
    void kvm(boolean replaceable) throws IOException {
        JsonObject plan = SandboxPlanJson.toJson(plan(false, List.of(), Display.NONE));
        plan.getAsJsonObject("vm").addProperty("accelerator", "KVM");
        plan.getAsJsonObject("vm").addProperty("kvmReplaceable", replaceable);
        Files.writeString(places.plan(), Json.write(plan));
    }

    /** The VM is to be restored from a template. */
    void restored() throws IOException {
        JsonObject plan = SandboxPlanJson.toJson(plan(false, List.of(), Display.NONE));
        plan.getAsJsonObject("vm").addProperty("template", "a".repeat(64));
        Files.writeString(places.plan(), Json.write(plan));
    }

    /** … whose memory is not there. */
    void memoryIsMissing() {
        memoryMissing = true;
    }

    /** The host says how long a phase of a start may take. */
    void startSeconds(int seconds) throws IOException {
        JsonObject plan = SandboxPlanJson.toJson(plan(false, List.of(), Display.NONE));
        plan.getAsJsonObject("rights").addProperty("startSeconds", seconds);
        Files.writeString(places.plan(), Json.write(plan));
    }

    /** The engine's control group kills at this much. */
    void memoryCeiling(long bytes) throws IOException {
        JsonObject plan = SandboxPlanJson.toJson(plan(false, List.of(), Display.NONE));
        plan.getAsJsonObject("rights").addProperty("memoryCeiling", bytes);
        Files.writeString(places.plan(), Json.write(plan));
    }

    /** The VM's text screen is on the container's terminal. */
    public void curses() throws IOException {
        Display display = new Display(DisplayMode.CURSES, Vga.STD, 0, VncPassword.NONE);
        Files.writeString(places.plan(), Json.write(SandboxPlanJson.toJson(plan(false, List.of(), display))));
        Files.createDirectories(places.terminfo().resolve("x"));
        Files.writeString(places.terminfo().resolve("x/xterm"), "a description");
    }

    /** The VM's screen is seen by VNC, or in a browser. */
    public void vnc(DisplayMode mode, VncPassword password) throws IOException {
        Display display = new Display(mode, Vga.VIRTIO, 0, password);
        Files.writeString(places.plan(), Json.write(SandboxPlanJson.toJson(plan(false, List.of(), display))));
    }

    /** The sandbox has that device, which is up and has that IPv6 address and, over it, the default route. */
    public void device(String name, int index, String mac, String address, String gateway) throws IOException {
        networked = true;
        Path device =
                Files.createDirectories(places.run().resolve("sys/class/net").resolve(name));
        Files.writeString(device.resolve("type"), "1\n");
        Files.writeString(device.resolve("ifindex"), index + "\n");
        Files.writeString(device.resolve("address"), mac + "\n");
        Files.writeString(device.resolve("mtu"), "1500\n");
        Path tables = Files.createDirectories(places.run().resolve("proc/net"));
        addresses.put(name, address + " 02 40 00 80 " + name + "\n");
        routes.put(
                name,
                "0".repeat(32) + " 00 " + "0".repeat(32) + " 00 " + gateway + " 00000400 00000001 00000000 00000003 "
                        + name + "\n");
        Files.writeString(tables.resolve("if_inet6"), String.join("", addresses.values()));
        Files.writeString(tables.resolve("ipv6_route"), String.join("", routes.values()));
        Files.writeString(device.resolve("flags"), "0x1003\n");
    }

    /** It is up, and asks nobody for an address. */
    public void deviceWithoutArp(String name) throws IOException {
        Files.writeString(places.run().resolve("sys/class/net").resolve(name).resolve("flags"), "0x1083\n");
    }

    /** It is there still, and down: what a device looks like on its way out. */
    public void deviceDown(String name) throws IOException {
        Files.writeString(places.run().resolve("sys/class/net").resolve(name).resolve("flags"), "0x1002\n");
    }

    /** It goes just when it is taken over; nothing goes, and that fails, where the name is empty. */
    public void deviceGoesWhenTakenOver(String name) {
        fleeting.add(name);
    }

    /** The container has a socket of the host's; dkvm-sockets has not connected yet. */
    public void socket() throws IOException {
        JsonObject plan = SandboxPlanJson.toJson(plan(false, List.of(), Display.NONE));
        JsonObject mount = new JsonObject();
        mount.addProperty("kind", "SOCKET");
        mount.addProperty("target", "/s");
        mount.addProperty("source", "0");
        mount.addProperty("filesystem", "");
        mount.addProperty("flags", 0);
        mount.addProperty("data", "");
        plan.getAsJsonArray("containers")
                .get(0)
                .getAsJsonObject()
                .getAsJsonArray("mounts")
                .add(mount);
        Files.writeString(places.plan(), Json.write(plan));
    }

    /** The end of dkvm-sockets, silent. */
    public Peer connectorPeer() {
        return keep(new Peer(places.guestSockets()));
    }

    /** The end of dkvm-locks, silent. */
    public Peer locksPeer() {
        return keep(new Peer(places.guestLocks()));
    }

    /** The end of dkvm-forward, silent. */
    public Peer forwardPeer() {
        return keep(new Peer(places.forward()));
    }

    /** The end of dkvm-events, silent. */
    public Peer watcherPeer() {
        return keep(new Peer(places.fileEvents()));
    }

    /** dkvm-events can not be started. */
    public void withoutWatcher() {
        watcherMissing = true;
    }

    public TestSandbox start() {
        Thread thread = new Thread(result, "monitor under test");
        thread.setDaemon(true);
        thread.start();
        return this;
    }

    /** Waits until that many programs have been started. */
    public void awaitStarted(int count) {
        while (started.size() < count) {
            Thread.onSpinWait();
        }
    }

    /** The monitor's exit code. */
    public int exitCode() throws Exception {
        try {
            return result.get(20, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new AssertionError("the monitor does not end; its log:\n" + log(), e);
        } catch (ExecutionException e) {
            throw new AssertionError("the monitor failed; its log:\n" + log(), e);
        }
    }

    public String log() {
        return log.toString(StandardCharsets.UTF_8);
    }

    /** Waits until the log has it. */
    public void awaitLog(String text) {
        while (!log().contains(text)) {
            Thread.onSpinWait();
        }
    }

    public Peer mainClient() {
        return keep(Peer.mainClient(places.sessionSocket()));
    }

    public Peer execClient() {
        return keep(Peer.execClient(places.sessionSocket()));
    }

    /** The agent's end of its channel, silent. */
    Peer usageClient() {
        return keep(Peer.usageClient(places.sessionSocket()));
    }

    public Peer agent() {
        return keep(new Peer(places.sockets().agent()));
    }

    Peer console() {
        return keep(new Peer(places.sockets().console()));
    }

    /** An agent whose machine is ready and whose workload runs; the main client has attached. */
    public Peer runningAgent() {
        Peer agent = agent();
        hello(agent);
        agent.skipTo(FrameType.OPEN);
        agent.say(FrameType.READY, 0);
        agent.say(FrameType.OPENED, 1, 1, 0, 0, 0);
        return agent;
    }

    public static void hello(Peer agent) {
        agent.say(FrameType.HELLO, 0, 'D', 'K', 'V', 'M', 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '6');
    }

    private Peer keep(Peer peer) {
        peers.add(peer);
        return peer;
    }

    private int runMonitor() throws IOException {
        ServerSocketChannel sessions = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        sessions.bind(UnixDomainSocketAddress.of(places.sessionSocket()));
        NetworkReader network =
                new NetworkReader(places.run().resolve("sys"), places.run().resolve("proc"));
        Monitor monitor = new Monitor(places, this, network, new MonitorLog(log), new Timeline(), deadlines);
        return monitor.run(sessions);
    }

    @Override
    public RunningProgram start(ProgramStart start) throws IOException {
        return switch (start.kind()) {
            case SOCKETS -> connector;
            case LOCKS -> {
                locksStarted.add(start.argv());
                yield locks;
            }
            case EVENTS -> {
                watchers.incrementAndGet();
                if (watcherMissing) {
                    throw new IOException("no such file or directory");
                }
                yield watcher;
            }
            case WEB -> {
                webStarted.add(start.argv());
                yield webStarted.size() > 1 ? secondWeb : web;
            }
            case EXHAUST -> {
                exhausts.add(start.argv().get(1));
                yield exhaust;
            }
            case VIRTIOFSD, QEMU, DISKS -> startMachine(start);
        };
    }

    private RunningProgram startMachine(ProgramStart start) throws IOException {
        started.add(start.argv().get(0));
        if (start.terminal()) {
            terminals.add(start.environment().get("TERM"));
        }
        boolean again = started.size() > 2;
        if (started.size() == 2 && memoryMissing) {
            // What is opened before it is closed again.
            new Peer(places.sockets().agent()).close();
            throw new IOException("the template's memory can not be copied");
        }
        if (started.size() % 2 == 0) {
            return again ? secondQemu : qemu;
        }
        if (listens) {
            Files.createFile(places.sockets().share());
        }
        return again ? secondShare : share;
    }

    @Override
    public void watchNetwork() {
        // A test tells of changes itself.
    }

    @Override
    public void change(NetworkRequest request) throws DkvmException {
        if (!networked) {
            throw new DkvmException("a sandbox without a network needs no " + request, "");
        }
        String gone = request instanceof NetworkRequest.Take ? fleeting.poll() : null;
        if (gone != null) {
            goes(gone);
        }
        changes.add(request);
    }

    private void goes(String device) throws DkvmException {
        try {
            if (!device.isEmpty()) {
                deviceDown(device);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        throw new DkvmException("Cannot find device", "");
    }

    @Override
    public void close() {
        peers.forEach(Peer::close);
        qemu.kill();
        share.kill();
        secondQemu.kill();
        secondShare.kill();
        connector.kill();
        watcher.kill();
        web.kill();
        secondWeb.kill();
        exhaust.kill();
        locks.kill();
    }

    private static SandboxPlan plan(boolean debug, List<BreakPoint> breaks, Display display) {
        WorkloadProcess process = new WorkloadProcess(
                new Command(List.of("/bin/sh"), "/", List.of("PATH=/bin"), true),
                false,
                new ProcessUser(0, 0, List.of(), 18),
                new ProcessRights(new CapabilitySets(0, 0, 0, 0, 0), false, List.of(), 0));
        MachineShape shape = new MachineShape(
                new GuestKernel("dkvm/6.12", Architecture.AMD64, "vmlinux", "", debug),
                new Processor(Accelerator.TCG, 0),
                MachineSize.fixed(1, MemorySize.ofMib(64)),
                Hardware.ORDINARY,
                false,
                display);
        ContainerPlan container = new ContainerPlan(
                "test",
                process,
                false,
                new ContainerRoot(false, List.of(), HiddenPaths.NONE),
                List.of(),
                new ContainerCgroup(CgroupMode.V2, 0));
        return new SandboxPlan(
                new VmPlan(shape, List.of(), NetworkMode.OWN, breaks, new HostNames("test", ""), Map.of()),
                new SandboxRights(false, 0, SandboxRights.USUAL_START_SECONDS),
                List.of(container),
                new SandboxMounts(List.of(), Map.of()));
    }
}
