// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.sandbox;

import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.dkvm.bundle.mounts.GuestModules;
import org.dkvm.bundle.mounts.MountPlan;
import org.dkvm.bundle.options.BreakOption;
import org.dkvm.bundle.options.DisplayOptions;
import org.dkvm.bundle.options.HostConfig;
import org.dkvm.bundle.options.Options;
import org.dkvm.bundle.plan.GuestBounds;
import org.dkvm.bundle.plan.SandboxPlan;
import org.dkvm.bundle.process.CapabilityNames;
import org.dkvm.bundle.spec.ContainerSpec;
import org.dkvm.bundle.spec.SupportedSpec;
import org.dkvm.core.Architecture;
import org.dkvm.core.ContainerId;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.core.PackageLayout;
import org.dkvm.core.container.GuestDevice;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.core.machine.GuestKernel;
import org.dkvm.core.machine.NetworkMode;
import org.dkvm.json.Json;

/**
 * A container's spec made into its sandbox's: a pure function. What is not named here stays as the engine wrote it.
 *
 * @param spec the sandbox's spec, for runc
 * @param plan what the sandbox's monitor needs to know
 */
public record SandboxSpec(JsonObject spec, SandboxPlan plan) {
    /** The sandbox's plan, beside the spec. */
    public static final String PLAN_FILE = "dkvm-sandbox.json";

    /** The spec as the engine wrote it, beside the sandbox's. */
    public static final String ORIGINAL_FILE = "dkvm-config.json";

    /** What virtiofsd needs to act for every user of the guest, and NET_ADMIN to take the network over; see docs/security.md. */
    private static final long SANDBOX_CAPABILITIES = CapabilityNames.mask(List.of(
            "CAP_CHOWN",
            "CAP_DAC_OVERRIDE",
            "CAP_FOWNER",
            "CAP_FSETID",
            "CAP_SETGID",
            "CAP_SETUID",
            "CAP_MKNOD",
            "CAP_SETFCAP",
            "CAP_SETPCAP",
            "CAP_NET_ADMIN",
            "CAP_SYS_CHROOT"));

    /** Without a network to take over. */
    private static final long NET_ADMIN = CapabilityNames.mask(List.of("CAP_NET_ADMIN"));

    /** For QEMU to listen at the VM's ports below 1024 in a namespace that it shares with others. */
    private static final long NET_BIND_SERVICE = CapabilityNames.mask(List.of("CAP_NET_BIND_SERVICE"));

    /** For {@code DKVM_SYS_ADMIN}, where the host allows it. */
    private static final long SYS_ADMIN = CapabilityNames.mask(List.of("CAP_SYS_ADMIN"));

    /** Ports of the sandbox's own sockets: answers to them are told apart from the VM's traffic by these. */
    private static final String LOCAL_PORTS = "59392 60415";

    /** Docker's lists, for where {@code --privileged} emptied them. */
    private static final List<String> MASKED_PATHS = List.of(
            "/proc/asound",
            "/proc/acpi",
            "/proc/kcore",
            "/proc/keys",
            "/proc/latency_stats",
            "/proc/timer_list",
            "/proc/timer_stats",
            "/proc/sched_debug",
            "/proc/scsi",
            "/sys/firmware",
            "/sys/devices/virtual/powercap");

    private static final List<String> READ_ONLY_PATHS =
            List.of("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger");

    /**
     * What the rewriter takes beside the spec.
     *
     * @param id the container
     * @param bundle its directory, absolute
     * @param log a directory of the host for what the sandbox writes down about its VM; empty: it goes with the sandbox
     * @param layout the package
     * @param options the container's options
     * @param config the host's settings
     * @param accelerator how the VM runs
     * @param kernel what it boots
     * @param kernelDirectory where that is
     * @param modules its modules
     * @param hostCpus CPUs of the host that are online
     * @param hostMemory the host's memory
     * @param tscKilohertz how often the host's time stamp counter counts; 0: the guest has no use for it, or it is not known
     * @param vhostNet whether the host's kernel carries its packets
     * @param seccomp the sandbox's seccomp profile
     */
    public record Inputs(
            ContainerId id,
            Path bundle,
            String log,
            PackageLayout layout,
            Options options,
            HostConfig config,
            Accelerator accelerator,
            GuestKernel kernel,
            Path kernelDirectory,
            GuestModules modules,
            int hostCpus,
            MemorySize hostMemory,
            long tscKilohertz,
            boolean vhostNet,
            JsonObject seccomp) {}

    /** Whether a spec is already a sandbox's: an engine may call create again after it failed. */
    public static boolean isSandbox(JsonObject spec) {
        return MonitorCommand.isInit(Json.strings(Json.objectOrNew(spec, "process"), "args"));
    }

    /** Rewrites what was read of a spec. */
    public static SandboxSpec rewrite(ContainerSpec container, Inputs inputs) throws DkvmException {
        JsonObject spec = container.spec();
        JsonObject process = Json.objectOrNew(spec, "process");
        JsonObject linux = Json.objectOrNew(spec, "linux");
        MountPlan mounts = container.mounts();
        mounts.addModules(inputs.modules, inputs.options.mountLibModules());
        DisplayOptions.check(inputs.options.display(), process, mounts.tree());
        SandboxPlan plan = plan(spec, linux, container, inputs);
        GuestBounds.check(plan);
        rewriteProcess(process, plan);
        rewriteRoot(spec, mounts, inputs);
        SandboxResources.rewrite(
                linux,
                inputs.config.overhead(inputs.accelerator, inputs.options.display()),
                inputs.accelerator,
                plan.network(),
                inputs.vhostNet,
                container.devices());
        rewriteLinux(linux, inputs, plan.network());
        return new SandboxSpec(spec, plan);
    }

    private static SandboxPlan plan(JsonObject spec, JsonObject linux, ContainerSpec container, Inputs inputs)
            throws DkvmException {
        Architecture architecture = inputs.kernel.architecture();
        SandboxResources resources = SandboxResources.of(linux, inputs.config, architecture, inputs.hostCpus);
        inputs.options.hardware().checkArchitecture(architecture);
        inputs.options.display().checkMachine(architecture, inputs.options.hardware());
        inputs.options.hardware().checkMemory(resources.memory());
        // Its networks are known when it is started.
        inputs.options
                .hardware()
                .board()
                .checkRoom(inputs.options.disks().size() + GuestDevice.disks(container.devices()), 0);
        BreakOption.checkTerminal(inputs.options.breaks(), container.process().terminal());
        return new SandboxPlan(
                inputs.id.value(),
                container.process(),
                container.init(),
                container.mounts().guest(),
                sysctls(linux),
                container.hostName(),
                Json.string(spec, "domainname").orElse(""),
                Json.isTrue(Json.objectOrNew(spec, "root"), "readonly"),
                resources.cpus(),
                resources.memory(),
                inputs.accelerator,
                inputs.kernel,
                inputs.options.cgroups(),
                resources.pidsLimit(),
                inputs.options.network(container.network()),
                inputs.options.sysAdmin(),
                inputs.options.biosDebug(),
                inputs.options.disks(),
                inputs.options.hardware(),
                inputs.options.breaks(),
                inputs.options.display(),
                inputs.tscKilohertz,
                resources.growth(inputs.options.hardware(), inputs.kernel, inputs.hostCpus, inputs.hostMemory),
                container.devices(),
                SandboxResources.ceiling(linux, inputs.config.overhead(inputs.accelerator, inputs.options.display())));
    }

    private static Map<String, String> sysctls(JsonObject linux) {
        Map<String, String> sysctls = new LinkedHashMap<>();
        JsonObject given = Json.objectOrNew(linux, "sysctl");
        for (String name : given.keySet()) {
            if (given.get(name) instanceof JsonPrimitive value) {
                sysctls.put(name, value.getAsString());
            }
        }
        return sysctls;
    }

    private static void rewriteProcess(JsonObject process, SandboxPlan plan) {
        process.add(
                "args", Json.arrayOf(MonitorCommand.init(plan.display().mode().takesTerminal())));
        process.add("env", Json.arrayOf(MonitorCommand.ENVIRONMENT));
        confine(process, capabilities(plan));
    }

    /** In a namespace of others nothing may be changed; ports below 1024 are the VM's where they would be the container's. */
    private static long capabilities(SandboxPlan plan) {
        long capabilities = plan.sysAdmin() ? SANDBOX_CAPABILITIES | SYS_ADMIN : SANDBOX_CAPABILITIES;
        if (plan.network() == NetworkMode.SHARED) {
            capabilities &= ~NET_ADMIN;
            capabilities |= plan.process().capabilities().bounding() & NET_BIND_SERVICE;
        }
        return capabilities;
    }

    /** Makes a process one of the sandbox's own: its root, without the user's rights and limits, which hold in the guest. */
    public static void confine(JsonObject process, long capabilities) {
        process.addProperty("cwd", "/");
        JsonObject user = new JsonObject();
        user.addProperty("uid", 0);
        user.addProperty("gid", 0);
        process.add("user", user);
        JsonObject sets = new JsonObject();
        sets.add("bounding", CapabilityNames.names(capabilities));
        sets.add("effective", CapabilityNames.names(capabilities));
        sets.add("permitted", CapabilityNames.names(capabilities));
        process.add("capabilities", sets);
        process.addProperty("noNewPrivileges", true);
        process.remove("rlimits");
    }

    private static void rewriteRoot(JsonObject spec, MountPlan mounts, Inputs inputs) {
        JsonObject root = Json.objectOrNew(spec, "root");
        Path rootfs = inputs.bundle.resolve(Json.string(root, "path").orElse("rootfs"));
        spec.add(
                "mounts",
                mounts.sandbox(
                        inputs.bundle.resolve(PLAN_FILE),
                        inputs.log,
                        inputs.kernelDirectory,
                        rootfs,
                        Json.isTrue(root, "readonly")));
        root.addProperty("path", inputs.layout.sandbox().toString());
        root.addProperty("readonly", true);
    }

    private static void rewriteLinux(JsonObject linux, Inputs inputs, NetworkMode network) {
        JsonObject sysctl = new JsonObject();
        if (network == NetworkMode.OWN) {
            sysctl.addProperty("net.ipv4.ip_local_port_range", LOCAL_PORTS);
        }
        linux.add("sysctl", sysctl);
        linux.add("seccomp", inputs.seccomp);
        if (SupportedSpec.hasHostUts(linux)) {
            // The guest has been told the host's name; the sandbox needs no more of it.
            JsonObject own = new JsonObject();
            own.addProperty("type", "uts");
            linux.getAsJsonArray("namespaces").add(own);
        }
        if (Json.array(linux, "maskedPaths").isEmpty()) {
            linux.add("maskedPaths", Json.arrayOf(MASKED_PATHS));
        }
        if (Json.array(linux, "readonlyPaths").isEmpty()) {
            linux.add("readonlyPaths", Json.arrayOf(READ_ONLY_PATHS));
        }
    }
}
