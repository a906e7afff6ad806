// SPDX-License-Identifier: Apache-2.0
package org.dkvm.training;

import static java.util.Objects.requireNonNull;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.dkvm.bundle.plan.ContainerPlan;
import org.dkvm.bundle.plan.SandboxMounts;
import org.dkvm.bundle.plan.SandboxPlan;
import org.dkvm.bundle.plan.SandboxPlanJson;
import org.dkvm.bundle.plan.SandboxRights;
import org.dkvm.bundle.plan.VmPlan;
import org.dkvm.cli.Main;
import org.dkvm.core.Architecture;
import org.dkvm.core.MemorySize;
import org.dkvm.core.container.CapabilitySets;
import org.dkvm.core.container.CgroupMode;
import org.dkvm.core.container.Command;
import org.dkvm.core.container.ContainerCgroup;
import org.dkvm.core.container.ContainerRoot;
import org.dkvm.core.container.GuestMount;
import org.dkvm.core.container.HiddenPaths;
import org.dkvm.core.container.ProcessRights;
import org.dkvm.core.container.ProcessUser;
import org.dkvm.core.container.WorkloadProcess;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.core.machine.Display;
import org.dkvm.core.machine.GuestKernel;
import org.dkvm.core.machine.Hardware;
import org.dkvm.core.machine.HostNames;
import org.dkvm.core.machine.MachineShape;
import org.dkvm.core.machine.MachineSize;
import org.dkvm.core.machine.NetworkMode;
import org.dkvm.core.machine.Processor;
import org.dkvm.json.Json;
import org.dkvm.linux.FileTree;
import org.dkvm.monitor.Monitor;
import org.dkvm.monitor.MonitorMain;
import org.dkvm.monitor.loop.MonitorLog;
import org.dkvm.monitor.start.Deadlines;
import org.dkvm.monitor.start.Places;
import org.dkvm.monitor.start.Timeline;
import org.dkvm.network.NetworkReader;

/** One sandbox's life with everything around the monitor played: the same code, so that the JVM's archive holds what a start needs. */
public final class MonitorTraining {
    private static final int WORKLOAD_EXIT = 0;
    private static final String TEMPLATE = "0123456789abcdef";

    private static final String IPV4_ROUTES = """
            Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
            eth0 00000000 010011AC 0003 0 0 0 00000000 0 0 0
            """;
    private static final String IPV6_ROUTES = """
            00000000000000000000000000000000 00 00000000000000000000000000000000 00 \
            fd000000000000000000000000000001 00000400 00000001 00000000 00000003 eth0
            """;
    private static final String MOUNTS = """
            600 500 0:53 / / ro,relatime - overlay overlay rw
            601 600 0:54 / /share ro,nosuid - tmpfs tmpfs rw
            602 601 0:55 / /share/root rw,nosuid,nodev - overlay overlay rw
            603 601 8:1 / /share/1 ro,noexec - ext4 /dev/sda1 rw
            """;
    private static final String IPV6_ADDRESSES = """
            fd000000000000000000000000000002 02 40 00 80     eth0
            """;

    private MonitorTraining() {}

    /** What package/assemble.sh runs, in a JVM that records (-XX:AOTCacheOutput): it ends with 0 when all was gone through. */
    public static void main(String[] args) throws IOException, InterruptedException {
        MonitorMain.shortenStart();
        // The one class of a start that this way does not come by.
        requireNonNull(Main.class);
        System.exit(run());
    }

    static int run() throws IOException, InterruptedException {
        inheritSocket();
        int booted = run(false);
        return booted == 0 ? run(true) : booted;
    }

    private static int run(boolean restored) throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory("dkvm-training");
        try {
            return run(directory, restored);
        } finally {
            FileTree.delete(directory);
        }
    }

    private static int run(Path directory, boolean restored) throws IOException, InterruptedException {
        Places places = new Places(
                directory,
                directory.resolve("sandbox.json"),
                directory,
                directory,
                directory,
                directory.resolve("mountinfo"));
        Files.writeString(places.plan(), Json.write(SandboxPlanJson.toJson(plan(restored))));
        Files.writeString(directory.resolve("mountinfo"), MOUNTS);
        Files.createDirectory(directory.resolve("log"));
        network(directory);
        ServerSocketChannel sessions = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        sessions.bind(UnixDomainSocketAddress.of(places.sessionSocket()));
        MonitorLog log = new MonitorLog(new FileOutputStream(FileDescriptor.out));
        NetworkReader reader = new NetworkReader(directory.resolve("sys"), directory.resolve("proc"));
        try (FakeSandbox around = new FakeSandbox(places, restored)) {
            around.startClients();
            int code = new Monitor(places, around, reader, log, new Timeline(), Deadlines.GENEROUS).run(sessions);
            return code == WORKLOAD_EXIT && around.allHeard() ? 0 : 1;
        }
    }

    /** Under dkvm-init, standard input is a listening socket as it is in a sandbox; it is taken and left alone. */
    private static void inheritSocket() throws IOException {
        if (!(System.inheritedChannel() instanceof ServerSocketChannel)) {
            System.err.println("dkvm: training without an inherited socket: the archive lacks it");
        }
    }

    private static SandboxPlan plan(boolean restored) {
        WorkloadProcess process = new WorkloadProcess(
                new Command(List.of("/bin/sh"), "/", List.of("PATH=/bin"), true),
                true,
                new ProcessUser(0, 0, List.of(1L), 0),
                new ProcessRights(new CapabilitySets(0, 0, 0, 0, 0), false, List.of(), 0));
        GuestMount shm = new GuestMount(GuestMount.Kind.FILESYSTEM, "/dev/shm", "shm", "tmpfs", 0, "");
        GuestMount volume = new GuestMount(GuestMount.Kind.SLOT, "/v", "1", "", 0, "");
        MachineShape shape = new MachineShape(
                new GuestKernel("dkvm/0", Architecture.HOST, "vmlinux", "", false),
                new Processor(Accelerator.TCG, 0),
                MachineSize.fixed(1, MemorySize.ofMib(1)),
                Hardware.ORDINARY,
                false,
                Display.NONE);
        ContainerPlan container = new ContainerPlan(
                "training",
                process,
                false,
                new ContainerRoot(false, List.of(shm, volume), HiddenPaths.NONE),
                List.of(),
                new ContainerCgroup(CgroupMode.V2, 0));
        return new SandboxPlan(
                new VmPlan(
                        shape,
                        List.of(),
                        NetworkMode.OWN,
                        List.of(),
                        new HostNames("training", ""),
                        Map.of("net.core.somaxconn", "1024"),
                        restored ? TEMPLATE : ""),
                new SandboxRights(false, 0, SandboxRights.USUAL_START_SECONDS),
                List.of(container),
                new SandboxMounts(List.of("/share", "/share/root", "/share/1"), Map.of()));
    }

    /** A network device as the kernel shows one. */
    private static void network(Path directory) throws IOException {
        Path device = Files.createDirectories(directory.resolve("sys/class/net/eth0"));
        Files.writeString(device.resolve("type"), "1\n");
        Files.writeString(device.resolve("flags"), "0x1003\n");
        Files.writeString(device.resolve("ifindex"), "2\n");
        Files.writeString(device.resolve("address"), "02:42:ac:11:00:02\n");
        Files.writeString(device.resolve("mtu"), "1500\n");
        Path tables = Files.createDirectories(directory.resolve("proc/net"));
        Files.writeString(tables.resolve("route"), IPV4_ROUTES);
        Files.writeString(tables.resolve("ipv6_route"), IPV6_ROUTES);
        Files.writeString(tables.resolve("if_inet6"), IPV6_ADDRESSES);
    }
}
