// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.sandbox;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.List;
import java.util.Optional;
import org.dkvm.bundle.options.HostConfig;
import org.dkvm.bundle.options.MachineOptions;
import org.dkvm.bundle.options.Options;
import org.dkvm.core.Architecture;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.core.SandboxPaths;
import org.dkvm.core.container.GuestDevice;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.core.machine.Board;
import org.dkvm.core.machine.Firmware;
import org.dkvm.core.machine.Growth;
import org.dkvm.core.machine.GuestKernel;
import org.dkvm.core.machine.Hardware;
import org.dkvm.core.machine.MachineShape;
import org.dkvm.core.machine.MachineSize;
import org.dkvm.json.Json;

/**
 * What the container's limits mean for the VM (OCI runtime spec, config-linux.md, "resources").
 *
 * @param memory the VM's memory
 * @param cpus the VM's CPUs
 */
public record SandboxResources(MemorySize memory, int cpus) {
    private static final int TUN_MAJOR = 10;
    private static final int TUN_MINOR = 200;
    private static final int KVM_MAJOR = 10;
    private static final int KVM_MINOR = 232;
    private static final int VHOST_NET_MAJOR = 10;
    private static final int VHOST_NET_MINOR = 238;

    /** With 68 MiB Debian's kernel boots and leaves next to nothing. */
    private static final MemorySize SMALLEST_ARM64 = MemorySize.ofMib(80);

    /** As many CPUs more than asked for cost a start nothing that could be measured; each of eight cost it one in a hundred. */
    private static final int FREE_CPUS = 4;

    /** The addresses that small processors know end at 64 GiB, and the board wants 36 GiB for itself; no host with more memory has such a one. */
    private static final MemorySize SMALL_HOST = MemorySize.ofMib(32 * 1024);

    /** What Linux takes memory in. */
    private static final long MEMORY_BLOCK_MIB = 128;

    private static final MemorySize MOST_ON_SMALL_HOST = MemorySize.ofMib(24 * 1024);
    private static final MemorySize MOST_MEMORY = MemorySize.ofMib(256 * 1024);

    private static final String ALL = "rwm";

    /** Owner only: each device is one program's. */
    private static final int DEVICE_MODE = 0600;

    private static final int TUN_MODE = 0660;

    /**
     * Processes and threads of a sandbox, whatever the workload may have in its VM: a thread for each of 255 processors, QEMU's 64 for disks, a JVM's 20, and as many
     * clients of {@code docker exec} as anybody has at a time, each of which has ten threads of runc's before it is one.
     */
    private static final long PROCESSES = 4096;

    /** That of DKVM's own kernel; a distribution's for another architecture takes more. */
    private static MemorySize smallest(Architecture architecture) {
        return switch (architecture) {
            case AMD64 -> HostConfig.SMALLEST_MEMORY;
            case ARM64 -> SMALLEST_ARM64;
        };
    }

    /** Reads the container's limits. */
    static SandboxResources of(JsonObject linux, HostConfig config, Architecture architecture, int hostCpus)
            throws DkvmException {
        JsonObject resources = Json.objectOrNew(linux, "resources");
        return new SandboxResources(
                memory(resources, config, architecture),
                cpus(Json.object(resources, "cpu").orElseGet(JsonObject::new), config, hostCpus));
    }

    /** The machine of a container with these limits. */
    public static MachineShape shape(
            JsonObject linux, Options options, HostConfig config, GuestKernel kernel, HostShare host)
            throws DkvmException {
        MachineOptions machine = options.machine();
        SandboxResources resources = of(linux, config, kernel.architecture(), host.cpus());
        machine.display().checkHardware(machine.hardware());
        machine.hardware().checkMemory(resources.memory());
        return new MachineShape(
                kernel,
                host.processor(),
                new MachineSize(
                        resources.cpus(),
                        resources.memory(),
                        resources.growth(machine.hardware(), kernel, host.cpus(), host.memory())),
                machine.hardware(),
                machine.firmwareDebug(),
                machine.display());
    }

    /** How many processes the workload may have; 0: no limit. */
    static long pids(JsonObject linux) {
        JsonObject resources = Json.objectOrNew(linux, "resources");
        JsonObject pids = Json.object(resources, "pids").orElseGet(JsonObject::new);
        return Math.max(0, Json.number(pids, "limit").orElse(0L));
    }

    /** How large the VM may become while it runs. */
    Growth growth(Hardware hardware, GuestKernel kernel, int hostCpus, MemorySize hostMemory) {
        // EFI has every processor spin while it starts, and who has set the number of them keeps it.
        boolean fixed = hardware.firmware() == Firmware.EFI || kernel.append().contains("maxcpus=");
        int most = fixed ? cpus : Math.max(cpus, Math.min(hostCpus, Math.max(FREE_CPUS, 2 * cpus)));
        MemorySize room = hostMemory.compareTo(SMALL_HOST) <= 0 ? MOST_ON_SMALL_HOST : MOST_MEMORY;
        MemorySize largest = hostMemory.compareTo(room) < 0 ? MemorySize.ofMib(hostMemory.mib()) : room;
        boolean pluggable = hardware.board() == Board.Q35 && largest.compareTo(memory) > 0;
        long more = pluggable ? (largest.mib() - memory.mib()) / MEMORY_BLOCK_MIB * MEMORY_BLOCK_MIB : 0;
        return new Growth(most, memory.plus(MemorySize.ofMib(more)));
    }

    /** A memory limit as the VM's memory; what is too small to boot is refused. */
    public static MemorySize memory(long limit, Architecture architecture) throws DkvmException {
        MemorySize smallest = smallest(architecture);
        MemorySize size = MemorySize.ofMib(new MemorySize(limit).mib());
        if (size.compareTo(smallest) < 0) {
            throw new DkvmException(
                    "memory limit of " + new MemorySize(limit) + " is too small for a VM",
                    "the smallest VM that boots has " + smallest);
        }
        return size;
    }

    /** How much memory and swap the sandbox's processes may have together, in bytes; 0: no limit that is known. */
    static long ceiling(JsonObject linux, MemorySize overhead) {
        JsonObject memory =
                Json.object(Json.objectOrNew(linux, "resources"), "memory").orElseGet(JsonObject::new);
        long limit = Json.number(memory, "limit").orElse(0L);
        long swap = Json.number(memory, "swap").orElse(0L);
        if (limit <= 0 || swap < 0) {
            return 0;
        }
        long most = Math.max(limit, swap);
        return most <= Long.MAX_VALUE - overhead.bytes() ? most + overhead.bytes() : 0;
    }

    private static MemorySize memory(JsonObject resources, HostConfig config, Architecture architecture)
            throws DkvmException {
        JsonObject memory = Json.object(resources, "memory").orElseGet(JsonObject::new);
        long limit = Json.number(memory, "limit").orElse(0L);
        if (limit > 0) {
            return memory(limit, architecture);
        }
        MemorySize smallest = smallest(architecture);
        return config.vms().memory().compareTo(smallest) < 0
                ? smallest
                : config.vms().memory();
    }

    /** The CPUs that a VM has by the container's limits, a spec's "cpu". */
    public static int cpus(JsonObject cpu, HostConfig config, int hostCpus) {
        long quota = Json.number(cpu, "quota").orElse(0L);
        long period = Json.number(cpu, "period").orElse(0L);
        if (quota > 0) {
            long perCpu = period > 0 ? period : 100_000;
            return Math.clamp((quota + perCpu - 1) / perCpu, 1, hostCpus);
        }
        int set = countCpus(Json.string(cpu, "cpus").orElse(""));
        if (set > 0) {
            return Math.min(set, hostCpus);
        }
        return config.vms().cpus() == 0 ? hostCpus : Math.min(config.vms().cpus(), hostCpus);
    }

    /** The number of CPUs in a list such as {@code 0-3,8}; 0 where it is none. See cpuset(7), "List format". */
    static int countCpus(String list) {
        int count = 0;
        int start = 0;
        while (start < list.length()) {
            int comma = list.indexOf(',', start);
            int end = comma < 0 ? list.length() : comma;
            String range = list.substring(start, end).strip();
            start = end + 1;
            try {
                int dash = range.indexOf('-');
                int first = Integer.parseInt(dash < 0 ? range : range.substring(0, dash));
                int last = dash < 0 ? first : Integer.parseInt(range.substring(dash + 1));
                count += last < first ? 0 : last - first + 1;
            } catch (NumberFormatException e) {
                return 0;
            }
        }
        return count;
    }

    /** Changes the container's limits into the sandbox's. */
    static void rewrite(
            JsonObject linux,
            MemorySize overhead,
            Accelerator accelerator,
            ProgramRights rights,
            boolean vhostNet,
            List<GuestDevice> requested) {
        JsonObject resources = Json.objectOrNew(linux, "resources");
        JsonObject pids = new JsonObject();
        pids.addProperty("limit", PROCESSES);
        resources.add("pids", pids);
        Json.object(resources, "unified").ifPresent(unified -> unified.remove("pids.max"));
        addOverhead(resources, overhead);
        JsonArray rules = new JsonArray();
        rules.add(rule(false, ALL));
        JsonArray devices = new JsonArray();
        long machine = rights.machineUser();
        if (rights.hasNetwork()) {
            rules.add(rule("c", TUN_MAJOR, TUN_MINOR, ALL));
            JsonObject tun = device("/dev/net/tun", "c", TUN_MAJOR, TUN_MINOR, rights.networkUser());
            // QEMU opens taps that were made for it, and can make none.
            tun.addProperty("gid", machine);
            tun.addProperty("fileMode", TUN_MODE);
            devices.add(tun);
        }
        if (accelerator == Accelerator.KVM) {
            rules.add(rule("c", KVM_MAJOR, KVM_MINOR, ALL));
            devices.add(device("/dev/kvm", "c", KVM_MAJOR, KVM_MINOR, machine));
        }
        for (int i = 0; i < requested.size(); i++) {
            GuestDevice disk = requested.get(i);
            if (disk.isBlock()) {
                rules.add(rule("b", disk.number().major(), disk.number().minor(), disk.writable() ? "rw" : "r"));
                devices.add(device(
                        GuestDevice.node(i),
                        "b",
                        disk.number().major(),
                        disk.number().minor(),
                        machine));
            }
        }
        if (vhostNet) {
            rules.add(rule("c", VHOST_NET_MAJOR, VHOST_NET_MINOR, ALL));
            devices.add(device(SandboxPaths.VHOST_NET, "c", VHOST_NET_MAJOR, VHOST_NET_MINOR, machine));
        }
        resources.add("devices", rules);
        linux.add("devices", devices);
    }

    /** Gives the limits of a spec's "resources", as far as there are some, what a VM's sandbox needs beside the VM's memory. */
    public static void addOverhead(JsonObject resources, MemorySize overhead) {
        Optional<JsonObject> memory = Json.object(resources, "memory");
        if (memory.isPresent()) {
            raise(memory.get(), "limit", overhead);
            raise(memory.get(), "swap", overhead);
        }
    }

    private static void raise(JsonObject memory, String name, MemorySize by) {
        long value = Json.number(memory, name).orElse(0L);
        if (value > 0 && value <= Long.MAX_VALUE - by.bytes()) {
            memory.addProperty(name, value + by.bytes());
        }
    }

    private static JsonObject rule(boolean allow, String access) {
        JsonObject rule = new JsonObject();
        rule.addProperty("allow", allow);
        rule.addProperty("access", access);
        return rule;
    }

    private static JsonObject rule(String type, int major, int minor, String access) {
        JsonObject rule = rule(true, access);
        rule.addProperty("type", type);
        rule.addProperty("major", major);
        rule.addProperty("minor", minor);
        return rule;
    }

    private static JsonObject device(String path, String type, int major, int minor, long owner) {
        JsonObject device = new JsonObject();
        device.addProperty("path", path);
        device.addProperty("type", type);
        device.addProperty("major", major);
        device.addProperty("minor", minor);
        device.addProperty("fileMode", DEVICE_MODE);
        device.addProperty("uid", owner);
        device.addProperty("gid", owner);
        return device;
    }
}
