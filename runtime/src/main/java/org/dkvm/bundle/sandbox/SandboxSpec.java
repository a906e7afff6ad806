// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.sandbox;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.dkvm.bundle.mounts.MountPlan;
import org.dkvm.bundle.options.BreakOption;
import org.dkvm.bundle.options.DisplayOptions;
import org.dkvm.bundle.options.HostConfig;
import org.dkvm.bundle.options.MachineOptions;
import org.dkvm.bundle.options.Options;
import org.dkvm.bundle.options.TemplateUse;
import org.dkvm.bundle.plan.ContainerPlan;
import org.dkvm.bundle.plan.GuestBounds;
import org.dkvm.bundle.plan.SandboxMounts;
import org.dkvm.bundle.plan.SandboxPlan;
import org.dkvm.bundle.plan.SandboxRights;
import org.dkvm.bundle.plan.VmPlan;
import org.dkvm.bundle.process.CapabilityNames;
import org.dkvm.bundle.spec.ContainerSpec;
import org.dkvm.bundle.spec.SupportedSpec;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.core.SandboxPaths;
import org.dkvm.core.container.CgroupMode;
import org.dkvm.core.container.ContainerCgroup;
import org.dkvm.core.container.ContainerRoot;
import org.dkvm.core.container.GuestDevice;
import org.dkvm.core.container.HiddenPaths;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.core.machine.Display;
import org.dkvm.core.machine.DisplayMode;
import org.dkvm.core.machine.HostNames;
import org.dkvm.core.machine.MachineShape;
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

    /** Beside the spec of a pod's further container: its number in the VM. */
    public static final String MEMBER_FILE = "dkvm-member";

    /** The spec as the engine wrote it, beside the sandbox's. */
    public static final String ORIGINAL_FILE = "dkvm-config.json";

    /** Ports of the sandbox's own sockets: answers to them are told apart from the VM's traffic by these. */
    private static final String LOCAL_PORTS = "59392 60415";

    /**
     * What the rewriter takes beside the spec.
     *
     * @param place which sandbox it is, and where
     * @param options the container's options
     * @param config the host's settings
     * @param kernel what the VM boots
     * @param host what the host has for it
     * @param seccomp the sandbox's seccomp profile
     * @param templates what it may be restored from
     */
    public record Inputs(
            SandboxPlace place,
            Options options,
            HostConfig config,
            BootKernel kernel,
            HostShare host,
            JsonObject seccomp,
            Templates templates) {
        private Accelerator accelerator() {
            return host.processor().accelerator();
        }

        private MemorySize overhead() {
            return config.overhead(accelerator(), options.machine().display());
        }
    }

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
        mounts.addModules(inputs.kernel.modules(), inputs.options.kernel().mountLibModules());
        mounts.addWorkingDirectory(container.process().command().cwd());
        Display display = inputs.options.machine().display();
        DisplayOptions.check(display, process, mounts.tree());
        if (!display.password().file().isEmpty()) {
            mounts.addFile("file", display.password().file());
        }
        boolean mapped = inputs.host.users().mapped();
        if (mapped) {
            MappedSandbox.check(inputs.options, container.devices());
        }
        HiddenPaths hidden = MaskedPaths.rewrite(linux);
        MachineShape shape = shape(linux, container, inputs);
        String template = template(container, shape, inputs);
        JsonArray points = rewriteMounts(spec, mounts, inputs, template);
        SandboxMounts sandbox = new SandboxMounts(points(points, linux, mapped), mounts.files());
        SandboxPlan plan = plan(
                spec,
                linux,
                container,
                inputs,
                sandbox,
                hidden,
                shape,
                template.isEmpty() ? "" : String.valueOf(Path.of(template).getFileName()));
        GuestBounds.check(plan);
        ProgramRights rights = ProgramRights.of(plan, inputs.config, inputs.host.users(), inputs.place.isPod());
        process.add("args", Json.arrayOf(MonitorCommand.init(plan.vm(), rights, inputs.place.isPod())));
        rewriteProcess(process, rights, inputs.host.openFiles());
        rewriteRoot(spec, inputs.place);
        SandboxResources.rewrite(
                linux, inputs.overhead(), inputs.accelerator(), rights, inputs.host.vhostNet(), container.devices());
        rewriteLinux(linux, inputs, plan.vm().network());
        if (mapped) {
            MappedSandbox.rewrite(spec, linux);
        }
        return new SandboxSpec(spec, plan);
    }

    private static MachineShape shape(JsonObject linux, ContainerSpec container, Inputs inputs) throws DkvmException {
        MachineOptions machine = inputs.options.machine();
        MachineShape shape =
                SandboxResources.shape(linux, inputs.options, inputs.config, inputs.kernel.kernel(), inputs.host);
        // Its networks are known when it is started.
        machine.hardware().board().checkRoom(machine.disks().size() + GuestDevice.disks(container.devices()), 0);
        BreakOption.checkTerminal(inputs.options.breaks(), container.process().terminal());
        return shape;
    }

    /** The directory of what it is restored from; empty where it boots. */
    private static String template(ContainerSpec container, MachineShape shape, Inputs inputs) {
        Options options = inputs.options;
        boolean fits = options.kernel().template() == TemplateUse.AUTO
                && options.machine().disks().isEmpty()
                && GuestDevice.disks(container.devices()) == 0
                && options.breaks().isEmpty()
                // A virtiofsd that may mount could write to what others are restored from.
                && !options.sysAdmin()
                && options.network().mode(container.network()) == NetworkMode.OWN;
        return fits ? inputs.templates.directoryFor(shape) : "";
    }

    private static SandboxPlan plan(
            JsonObject spec,
            JsonObject linux,
            ContainerSpec container,
            Inputs inputs,
            SandboxMounts sandboxMounts,
            HiddenPaths hidden,
            MachineShape shape,
            String template) {
        MachineOptions machine = inputs.options.machine();
        VmPlan vm = new VmPlan(
                shape,
                machine.disks(),
                inputs.options.network().mode(container.network()),
                inputs.options.breaks(),
                new HostNames(
                        container.hostName(), Json.string(spec, "domainname").orElse("")),
                sysctls(linux),
                template);
        SandboxRights rights = new SandboxRights(
                inputs.options.sysAdmin(),
                SandboxResources.ceiling(linux, inputs.overhead()),
                Math.toIntExact(inputs.config.patience().start().toSeconds()));
        ContainerPlan first = new ContainerPlan(
                inputs.place.id().value(),
                container.process(),
                container.init(),
                new ContainerRoot(
                        Json.isTrue(Json.objectOrNew(spec, "root"), "readonly"),
                        container.mounts().guest(),
                        hidden),
                container.devices(),
                new ContainerCgroup(cgroups(inputs), SandboxResources.pids(linux)));
        return new SandboxPlan(vm, rights, List.of(first), sandboxMounts);
    }

    /** A pause container looks at none, and leaves the controllers to the containers that come after it. */
    private static CgroupMode cgroups(Inputs inputs) {
        return inputs.place.isPod() ? CgroupMode.NONE : inputs.options.cgroups();
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

    private static void rewriteProcess(JsonObject process, ProgramRights rights, long openFiles) {
        process.add("env", Json.arrayOf(MonitorCommand.ENVIRONMENT));
        confine(process, rights.all());
        if (openFiles > 0) {
            process.add("rlimits", openFiles(openFiles));
        }
    }

    private static JsonArray openFiles(long most) {
        JsonObject limit = new JsonObject();
        limit.addProperty("type", "RLIMIT_NOFILE");
        limit.addProperty("hard", most);
        limit.addProperty("soft", most);
        JsonArray limits = new JsonArray();
        limits.add(limit);
        return limits;
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

    private static JsonArray rewriteMounts(JsonObject spec, MountPlan mounts, Inputs inputs, String template) {
        JsonObject root = Json.objectOrNew(spec, "root");
        Path rootfs = inputs.place.bundle().resolve(Json.string(root, "path").orElse("rootfs"));
        if (inputs.place.isPod()) {
            mounts.addPod(Path.of(inputs.place.pod()));
        }
        JsonArray sandbox = mounts.sandbox(
                inputs.place.bundle().resolve(PLAN_FILE),
                inputs.place.log(),
                inputs.kernel.directory(),
                rootfs,
                Json.isTrue(root, "readonly"));
        if (!template.isEmpty()) {
            sandbox.add(MountPlan.readOnly(SandboxPaths.TEMPLATE, Path.of(template)));
        }
        if (inputs.options.machine().display().mode() == DisplayMode.WEB) {
            long uid = inputs.host.users().first();
            sandbox.add(MountPlan.screen(uid, ProgramRights.webUser(uid)));
        }
        spec.add("mounts", sandbox);
        return sandbox;
    }

    /** Where runc mounts something, or covers something of the kernel's filesystems. */
    private static List<String> points(JsonArray mounts, JsonObject linux, boolean mapped) {
        Set<String> points = new LinkedHashSet<>();
        for (JsonElement mount : mounts) {
            points.add(Json.string(mount.getAsJsonObject(), "destination").orElse(""));
        }
        points.addAll(Json.strings(linux, "maskedPaths"));
        points.addAll(Json.strings(linux, "readonlyPaths"));
        if (mapped) {
            points.addAll(MappedSandbox.DEVICES);
        }
        return List.copyOf(points);
    }

    static void rewriteRoot(JsonObject spec, SandboxPlace place) {
        JsonObject root = Json.objectOrNew(spec, "root");
        root.addProperty("path", place.layout().sandbox().toString());
        root.addProperty("readonly", true);
    }

    private static void rewriteLinux(JsonObject linux, Inputs inputs, NetworkMode network) {
        JsonObject sysctl = new JsonObject();
        if (network == NetworkMode.OWN) {
            sysctl.addProperty("net.ipv4.ip_local_port_range", LOCAL_PORTS);
        }
        linux.add("sysctl", sysctl);
        linux.add("seccomp", inputs.seccomp);
        if (inputs.place.isPod()) {
            // What is mounted for further containers on the host comes to the sandbox, and nothing goes back.
            linux.addProperty("rootfsPropagation", "rslave");
        }
        if (SupportedSpec.hasHostUts(linux)) {
            // The guest has been told the host's name; the sandbox needs no more of it.
            JsonObject own = new JsonObject();
            own.addProperty("type", "uts");
            linux.getAsJsonArray("namespaces").add(own);
        }
    }
}
