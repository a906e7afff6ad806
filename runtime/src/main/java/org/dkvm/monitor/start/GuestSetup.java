// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.start;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.function.ToLongFunction;
import org.dkvm.agent.Client;
import org.dkvm.agent.ContainerRecords;
import org.dkvm.agent.MachineRecords;
import org.dkvm.agent.ProcessRecords;
import org.dkvm.bundle.plan.ContainerPlan;
import org.dkvm.bundle.plan.SandboxPlan;
import org.dkvm.bundle.plan.VmPlan;
import org.dkvm.core.DkvmException;
import org.dkvm.core.container.GuestDevice;
import org.dkvm.core.container.GuestMount;
import org.dkvm.core.container.WorkloadProcess;
import org.dkvm.core.machine.Display;
import org.dkvm.core.machine.DisplayMode;
import org.dkvm.core.machine.MachineShape;
import org.dkvm.core.machine.MachineSize;
import org.dkvm.core.machine.NetworkMode;
import org.dkvm.core.machine.TerminalDevice;
import org.dkvm.core.machine.Vga;
import org.dkvm.machine.KernelCommandLine;
import org.dkvm.network.NetworkDevice;
import org.dkvm.network.SharedNetwork;
import org.dkvm.network.Takeover;

/** What the agent is told: the plan and the VM's network as records. */
public record GuestSetup(SandboxPlan plan, VmNetwork network, MountCheck mounts) {
    /** As distributions set it on 64-bit machines; the kernel's own 32768 is seen in the widths of ps. See proc_sys_kernel(5). */
    private static final String PID_MAX = "kernel.pid_max";

    private static final String MOST_PIDS = "4194304";
    /** A container's memory limit kills who goes beyond it; the guest's kernel would rather refuse the allocation. See proc_sys_vm(5). */
    private static final String OVERCOMMIT = "vm.overcommit_memory";

    private static final String ALWAYS = "1";
    /** Ports that the guest leaves alone. See proc_sys_net(5). */
    public static final String RESERVED_PORTS = "net.ipv4.ip_local_reserved_ports";

    private static final Path PROC = Path.of("/proc");
    private static final Path RANDOM = Path.of("/dev/urandom");

    /** The records of MACHINE: what all containers of the VM share. */
    public byte[] machine(Instant now) throws DkvmException {
        MachineRecords to = new MachineRecords();
        to.clock(ChronoUnit.NANOS.between(Instant.EPOCH, now));
        VmPlan vm = plan.vm();
        to.hostname(vm.names().host());
        to.domainname(vm.names().domain());
        if (vm.restored()) {
            to.entropy(random());
        } else {
            processors(to, vm.shape());
        }
        modules(to, vm.shape().display());
        for (NetworkDevice device : network.devices()) {
            NetworkRecords.device(to, device);
        }
        if (isShared()) {
            to.sharedNetwork(SharedNetwork.namespaceLoopback());
        }
        sysctls(to);
        return bounded("the machine", to.toBytes(), MachineRecords.MAX_BYTES, "use fewer networks");
    }

    /** The host's random numbers. See random(4). */
    private static byte[] random() throws DkvmException {
        try (InputStream in = Files.newInputStream(RANDOM)) {
            return in.readNBytes(MachineRecords.ENTROPY_BYTES);
        } catch (IOException e) {
            throw new DkvmException("can not read \"" + RANDOM + "\": " + e, "", e);
        }
    }

    /** The records of CONTAINER: what is the container's own. */
    public byte[] container() throws DkvmException {
        return container(new ContainerRecords(), plan.container(), mounts::flags);
    }

    /**
     * The records of a container, after those that are there.
     *
     * @param flags by slots, the flags that their mounts have: MS_* of mount(2)
     */
    static byte[] container(ContainerRecords to, ContainerPlan container, ToLongFunction<String> flags)
            throws DkvmException {
        if (container.root().readOnly()) {
            to.rootReadOnly();
        }
        to.cgroups(container.cgroup().mode());
        to.pidsLimit(container.cgroup().pidsLimit());
        for (GuestMount mount : container.root().mounts()) {
            to.mount(mount.kind() == GuestMount.Kind.SLOT ? mount.with(flags.applyAsLong(mount.source())) : mount);
        }
        container.root().hidden().readOnly().forEach(to::readOnlyPath);
        container.root().hidden().masked().forEach(to::maskedPath);
        for (int i = 0; i < container.devices().size(); i++) {
            to.device(container.devices().get(i), GuestDevice.serial(i));
        }
        return bounded("the container", to.toBytes(), ContainerRecords.MAX_BYTES, "use fewer mounts");
    }

    /** A machine that is restored has them already. */
    private static void processors(MachineRecords to, MachineShape shape) {
        MachineSize size = shape.size();
        int most = size.growth().cpus();
        if (KernelCommandLine.comesUpOnOneCpu(shape.kernel(), shape.processor().accelerator(), most)) {
            to.onlineCpus();
            if (most > size.cpus()) {
                to.processors(size.cpus());
            }
        }
    }

    private static void modules(MachineRecords to, Display display) {
        DisplayMode mode = display.mode();
        if (mode.showsScreen()) {
            to.modules("input");
        }
        // A text screen lasts as long as no driver takes the card out of its text mode.
        if (display.vga() != Vga.NONE && mode != DisplayMode.CURSES) {
            to.modules("graphics");
        }
    }

    private static byte[] bounded(String whose, byte[] records, int most, String advice) throws DkvmException {
        if (records.length > most) {
            throw new DkvmException(whose + "'s set-up has " + records.length + " bytes, more than " + most, advice);
        }
        return records;
    }

    /** The records of the main session's OPEN, with what its client said of itself. */
    public byte[] process(Client client) throws DkvmException {
        return process(
                workload(),
                plan.container().init(),
                plan.vm().shape().display().mode().terminal(),
                client);
    }

    static byte[] process(WorkloadProcess process, boolean init, TerminalDevice terminal, Client client)
            throws DkvmException {
        byte[] records = ProcessRecords.encode(process, init, terminal, client);
        if (records.length > ProcessRecords.MAX_BYTES) {
            throw new DkvmException(
                    "the process has " + records.length + " bytes of arguments and environment, more than "
                            + ProcessRecords.MAX_BYTES,
                    "");
        }
        return records;
    }

    private WorkloadProcess workload() {
        WorkloadProcess process = plan.container().process();
        return plan.vm().shape().display().mode() == DisplayMode.CURSES
                ? process.withEnv(Screen.onConsole(process.command().env()))
                : process;
    }

    private boolean isShared() {
        return plan.vm().network() == NetworkMode.SHARED;
    }

    /** The user's, and the ports that the sandbox keeps for itself where it has a network. */
    private void sysctls(MachineRecords to) {
        to.sysctl(PID_MAX, MOST_PIDS);
        to.sysctl(OVERCOMMIT, ALWAYS);
        for (Map.Entry<String, String> setting : HostSettings.read(PROC).entrySet()) {
            to.sysctl(setting.getKey(), setting.getValue());
        }
        for (String name : network.withoutIpv6()) {
            to.sysctl("net/ipv6/conf/" + name + "/disable_ipv6", "1");
        }
        if (isShared()) {
            // What listens at 127.0.0.1 is reached from 127.0.0.1 of the namespace, and from nowhere else: QEMU sees to
            // it.
            to.sysctl("net/ipv4/conf/" + network.devices().get(0).name() + "/route_localnet", "1");
        }
        String reserved = reservedPorts(plan, !network.devices().isEmpty() && !isShared());
        for (Map.Entry<String, String> sysctl : plan.vm().sysctls().entrySet()) {
            if (!sysctl.getKey().equals(RESERVED_PORTS)) {
                to.sysctl(sysctl.getKey(), sysctl.getValue());
            }
        }
        if (!reserved.isEmpty()) {
            to.sysctl(RESERVED_PORTS, reserved);
        }
    }

    /** The ports that the guest leaves alone: the user's, one that the sandbox listens at, and those of the sandbox's own sockets where it has a network. */
    public static String reservedPorts(SandboxPlan plan, boolean network) {
        String ports = network ? Takeover.FIRST_RESERVED_PORT + "-" + Takeover.LAST_RESERVED_PORT : "";
        int own = plan.vm().shape().display().port();
        ports = own > 0 ? own + (ports.isEmpty() ? "" : ",") + ports : ports;
        String users = plan.vm().sysctls().getOrDefault(RESERVED_PORTS, "");
        return users.isEmpty() || ports.isEmpty() ? users + ports : users + "," + ports;
    }
}
