// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.sandbox;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.List;
import org.dkvm.bundle.host.HostView;
import org.dkvm.bundle.mounts.MemberSlots;
import org.dkvm.bundle.mounts.MountPlan;
import org.dkvm.bundle.mounts.PodVolumes;
import org.dkvm.bundle.plan.ContainerPlan;
import org.dkvm.bundle.plan.GuestBounds;
import org.dkvm.bundle.plan.MemberNamespaces;
import org.dkvm.bundle.plan.MemberPlan;
import org.dkvm.bundle.spec.ContainerSpec;
import org.dkvm.bundle.spec.Pod;
import org.dkvm.bundle.spec.PodNamespaces;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.core.container.CgroupMode;
import org.dkvm.core.container.ContainerCgroup;
import org.dkvm.core.container.ContainerRoot;
import org.dkvm.core.container.GuestDevice;
import org.dkvm.core.container.GuestMount;
import org.dkvm.core.container.HiddenPaths;
import org.dkvm.core.container.MemberLimits;
import org.dkvm.json.Json;

/**
 * The spec of a pod's further container made into that of a thin sandbox, in which nothing runs but the container's client; the container itself is one more in the pod's VM (docs/adr/0019-pods.md).
 *
 * @param spec the thin sandbox's, for runc
 * @param plan what the VM's monitor needs to know
 * @param slots what is mounted for it in the pod's share
 */
public record MemberSpec(JsonObject spec, MemberPlan plan, List<MemberSlots.Slot> slots) {
    /** Who starts it has ten threads of runc's, and each exec as well. */
    private static final long PROCESSES = 4096;

    private static final String SHARED_MEMORY = "/dev/shm";

    /** Bytes: for the client, and for runc with each exec. */
    private static final long MOST_OF_CLIENT = 256L << 20;

    /** Of cgroup v2: what means something for the container's processes only. */
    private static final List<String> GUESTS =
            List.of("pids.max", "memory.oom.group", "memory.min", "memory.low", "memory.high", "memory.max");

    /** The range of a spec's shares, and of cgroup v2's weights: see cgroups(7). */
    private static final long LEAST_SHARES = 2;

    private static final long MOST_SHARES = 262_144;
    private static final long MOST_WEIGHT = 10_000;

    /**
     * What the rewriter takes beside the spec.
     *
     * @param place which container it is, and where; the pod's directory
     * @param number the container's in the VM
     * @param pause the pid of the pause container's first process
     * @param host where the sources of its mounts are
     * @param groups the control groups that it finds
     * @param unlimited the VM's memory that containers without a limit have together
     * @param seccomp the profile of sandboxes
     */
    public record Inputs(
            SandboxPlace place,
            int number,
            long pause,
            HostView host,
            CgroupMode groups,
            MemorySize unlimited,
            JsonObject seccomp) {}

    /** What dkvm-keep mounts for it, a line each. */
    public List<String> lines() {
        return slots.stream().map(MemberSlots.Slot::line).toList();
    }

    public MemberSpec {
        slots = List.copyOf(slots);
    }

    /** Rewrites what was read of a spec. */
    public static MemberSpec rewrite(ContainerSpec container, JsonObject original, Inputs inputs) throws DkvmException {
        JsonObject spec = container.spec();
        JsonObject linux = Json.objectOrNew(spec, "linux");
        container.mounts().addWorkingDirectory(container.process().command().cwd());
        refuse(container, inputs);
        JsonObject root = Json.objectOrNew(spec, "root");
        Path rootfs = inputs.place.bundle().resolve(Json.string(root, "path").orElse("rootfs"));
        // One of several has neighbours in the guest, whose kernel it is not to change: what the engine hides is hidden
        // there.
        HiddenPaths hidden = new HiddenPaths(absolute(linux, "maskedPaths"), absolute(linux, "readonlyPaths"));
        MaskedPaths.rewrite(linux);
        MemberSlots slots = MemberSlots.of(
                container.mounts(),
                rootfs,
                inputs.place.bundle(),
                inputs.number,
                new PodVolumes(Pod.uid(original), Path.of(inputs.place.pod()), inputs.host));
        MemberNamespaces namespaces = namespaces(container, original, inputs);
        JsonObject resources = Json.objectOrNew(linux, "resources");
        MemberPlan plan = new MemberPlan(
                inputs.number,
                new ContainerPlan(
                        inputs.place.id().value(),
                        container.process(),
                        container.init(),
                        new ContainerRoot(Json.isTrue(root, "readonly"), mounts(slots, namespaces), hidden),
                        container.devices(),
                        new ContainerCgroup(inputs.groups, SandboxResources.pids(linux))),
                limits(resources, inputs.unlimited),
                namespaces);
        GuestBounds.check(plan.container());
        shrink(resources);
        rewriteProcess(Json.objectOrNew(spec, "process"), MonitorCommand.member(inputs.number, 2 * MOST_OF_CLIENT));
        SandboxSpec.rewriteRoot(spec, inputs.place);
        spec.add("mounts", MountPlan.ofMember(Path.of(inputs.place.pod())));
        rewriteLinux(linux, resources, inputs);
        return new MemberSpec(spec, plan, slots.all());
    }

    private static MemberNamespaces namespaces(ContainerSpec container, JsonObject original, Inputs inputs) {
        return new MemberNamespaces(
                PodNamespaces.hasProcessesOf(original, inputs.pause),
                PodNamespaces.hasOwn(original, "ipc"),
                PodNamespaces.hasOwn(original, "uts") ? container.hostName() : "");
    }

    /** Shared memory is as much the container's own as its messages are. */
    private static List<GuestMount> mounts(MemberSlots slots, MemberNamespaces namespaces) {
        List<GuestMount> mounts = slots.guest();
        return namespaces.ownMessages()
                ? mounts.stream()
                        .map(mount -> SHARED_MEMORY.equals(mount.target()) ? mount.unshared() : mount)
                        .toList()
                : mounts;
    }

    private static List<String> absolute(JsonObject linux, String key) {
        return Json.strings(linux, key).stream()
                .map(path -> path.startsWith("/") ? path : "/" + path)
                .toList();
    }

    /** What only a VM of its own could have. */
    private static void refuse(ContainerSpec container, Inputs inputs) throws DkvmException {
        if (GuestDevice.disks(container.devices()) > 0) {
            throw new DkvmException(
                    "a block device for one of several containers of a VM is not supported",
                    "run \"" + inputs.place.id() + "\" in a pod without DKVM's runtime class");
        }
    }

    /**
     * Leaves the thin sandbox as much of a container's memory limit as its client can use. That client uses all of it where the container ran out of memory, so that the engine hears of it:
     * the host should not need the container's memory twice.
     *
     * @param resources a spec's "resources", changed
     */
    public static void shrink(JsonObject resources) {
        Json.object(resources, "unified").ifPresent(unified -> GUESTS.forEach(unified::remove));
        JsonObject memory = Json.object(resources, "memory").orElseGet(JsonObject::new);
        if (Json.number(memory, "limit").orElse(0L) > MOST_OF_CLIENT) {
            memory.addProperty("limit", MOST_OF_CLIENT);
            if (Json.number(memory, "swap").orElse(0L) > 0) {
                memory.addProperty("swap", MOST_OF_CLIENT);
            }
            memory.remove("reservation");
        }
    }

    /** The limits of a spec's "resources", as cgroup v2 has them. */
    static MemberLimits limits(JsonObject resources, MemorySize unlimited) {
        JsonObject memory = Json.object(resources, "memory").orElseGet(JsonObject::new);
        JsonObject cpu = Json.object(resources, "cpu").orElseGet(JsonObject::new);
        long shares = Json.number(cpu, "shares").orElse(0L);
        return new MemberLimits(
                Math.max(0, Json.number(memory, "limit").orElse(0L)),
                Math.max(0, Json.number(cpu, "quota").orElse(0L)),
                Math.max(0, Json.number(cpu, "period").orElse(0L)),
                shares <= 0 ? 0 : weight(Math.clamp(shares, LEAST_SHARES, MOST_SHARES)),
                unlimited.bytes());
    }

    /** A plan with what an engine wants to change; zero or nothing stays as it is. */
    public static MemberPlan updated(MemberPlan before, JsonObject resources) {
        MemberLimits given = limits(resources, new MemorySize(before.limits().unlimited()));
        MemberLimits had = before.limits();
        JsonObject pids = Json.object(resources, "pids").orElseGet(JsonObject::new);
        long processes = Json.number(pids, "limit").orElse(0L);
        JsonObject memory = Json.object(resources, "memory").orElseGet(JsonObject::new);
        JsonObject cpu = Json.object(resources, "cpu").orElseGet(JsonObject::new);
        boolean quota = Json.number(cpu, "quota").orElse(0L) != 0;
        ContainerPlan container = before.container();
        return new MemberPlan(
                before.number(),
                new ContainerPlan(
                        container.id(),
                        container.process(),
                        container.init(),
                        container.root(),
                        container.devices(),
                        new ContainerCgroup(
                                container.cgroup().mode(),
                                processes == 0 ? container.cgroup().pidsLimit() : Math.max(0, processes))),
                new MemberLimits(
                        Json.number(memory, "limit").orElse(0L) == 0 ? had.memory() : given.memory(),
                        quota ? given.cpuQuota() : had.cpuQuota(),
                        quota || given.cpuPeriod() > 0 ? given.cpuPeriod() : had.cpuPeriod(),
                        given.cpuWeight() == 0 ? had.cpuWeight() : given.cpuWeight(),
                        had.unlimited()),
                before.namespaces());
    }

    private static long weight(long shares) {
        return 1 + (shares - LEAST_SHARES) * (MOST_WEIGHT - 1) / (MOST_SHARES - LEAST_SHARES);
    }

    private static void rewriteProcess(JsonObject process, List<String> command) {
        process.add("args", Json.arrayOf(command));
        process.add("env", Json.arrayOf(MonitorCommand.ENVIRONMENT));
        SandboxSpec.confine(process, 0);
    }

    /** Its client connects to a socket and to nothing else: the network, too, is nobody's. The engine's memory limit stays; it is the client's own, and holds in the guest as well. */
    private static void rewriteLinux(JsonObject linux, JsonObject resources, Inputs inputs) {
        JsonArray namespaces = new JsonArray();
        for (String type : List.of("pid", "ipc", "uts", "mount", "network")) {
            namespaces.add(Json.objectOf("type", type));
        }
        linux.add("namespaces", namespaces);
        linux.add("sysctl", new JsonObject());
        linux.add("devices", new JsonArray());
        linux.add("seccomp", inputs.seccomp);
        linux.remove("rootfsPropagation");
        resources.add("pids", Json.objectOf("limit", PROCESSES));
        JsonArray rules = new JsonArray();
        rules.add(Json.objectOf("allow", false, "access", "rwm"));
        resources.add("devices", rules);
    }
}
