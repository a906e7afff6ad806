// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.plan;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.dkvm.core.Architecture;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.core.container.CapabilitySets;
import org.dkvm.core.container.CgroupMode;
import org.dkvm.core.container.GuestDevice;
import org.dkvm.core.container.GuestMount;
import org.dkvm.core.container.ResourceLimit;
import org.dkvm.core.container.WorkloadProcess;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.core.machine.Board;
import org.dkvm.core.machine.BreakPoint;
import org.dkvm.core.machine.Disk;
import org.dkvm.core.machine.DiskFilesystem;
import org.dkvm.core.machine.Display;
import org.dkvm.core.machine.DisplayMode;
import org.dkvm.core.machine.Firmware;
import org.dkvm.core.machine.Growth;
import org.dkvm.core.machine.GuestKernel;
import org.dkvm.core.machine.Hardware;
import org.dkvm.core.machine.NetworkMode;
import org.dkvm.core.machine.Vga;
import org.dkvm.core.machine.VncPassword;
import org.dkvm.json.Json;

/** The text form of a {@link SandboxPlan}: sandbox.json. Both sides are DKVM's own and of one version; a file that does not fit is refused whole. */
public final class SandboxPlanJson {
    private SandboxPlanJson() {}

    /** The plan as a JSON object. */
    public static JsonObject toJson(SandboxPlan plan) {
        JsonObject json = new JsonObject();
        json.addProperty("id", plan.id());
        json.add("process", processToJson(plan.process()));
        json.addProperty("init", plan.init());
        JsonArray mounts = new JsonArray();
        plan.mounts().forEach(mount -> mounts.add(mountToJson(mount)));
        json.add("mounts", mounts);
        JsonObject sysctls = new JsonObject();
        plan.sysctls().forEach(sysctls::addProperty);
        json.add("sysctls", sysctls);
        json.addProperty("hostname", plan.hostname());
        json.addProperty("domainname", plan.domainname());
        json.addProperty("rootReadOnly", plan.rootReadOnly());
        json.addProperty("cpus", plan.cpus());
        json.addProperty("memory", plan.memory().bytes());
        json.addProperty("accelerator", plan.accelerator().name());
        json.add("kernel", kernelToJson(plan.kernel()));
        json.addProperty("cgroups", plan.cgroups().name());
        json.addProperty("pidsLimit", plan.pidsLimit());
        json.addProperty("network", plan.network().name());
        json.addProperty("sysAdmin", plan.sysAdmin());
        json.addProperty("biosDebug", plan.biosDebug());
        if (!plan.disks().isEmpty()) {
            json.add("disks", disksToJson(plan.disks()));
        }
        if (!plan.hardware().equals(Hardware.ORDINARY)) {
            json.addProperty("board", plan.hardware().board().name());
            json.addProperty("firmware", plan.hardware().firmware().name());
        }
        if (!plan.breaks().isEmpty()) {
            JsonArray breaks = new JsonArray();
            plan.breaks().forEach(point -> breaks.add(point.name()));
            json.add("breaks", breaks);
        }
        if (plan.tscKilohertz() > 0) {
            json.addProperty("tscKilohertz", plan.tscKilohertz());
        }
        json.addProperty("mostCpus", plan.growth().cpus());
        json.addProperty("mostMemory", plan.growth().memory().bytes());
        if (plan.memoryCeiling() > 0) {
            json.addProperty("memoryCeiling", plan.memoryCeiling());
        }
        if (!plan.devices().isEmpty()) {
            json.add("devices", devicesToJson(plan.devices()));
        }
        if (!plan.display().equals(Display.NONE)) {
            json.add("display", displayToJson(plan.display()));
        }
        return json;
    }

    /** The plan in a JSON object. */
    public static SandboxPlan fromJson(JsonObject json) throws DkvmException {
        try {
            List<GuestMount> mounts = new ArrayList<>();
            for (JsonObject mount : Json.objects(json, "mounts")) {
                mounts.add(mountFromJson(mount));
            }
            List<Disk> disks = new ArrayList<>();
            for (JsonObject disk : Json.objects(json, "disks")) {
                disks.add(diskFromJson(disk));
            }
            List<BreakPoint> breaks = new ArrayList<>();
            for (String point : Json.strings(json, "breaks")) {
                breaks.add(BreakPoint.valueOf(point));
            }
            Map<String, String> sysctls = new LinkedHashMap<>();
            for (Map.Entry<String, com.google.gson.JsonElement> entry :
                    json.getAsJsonObject("sysctls").entrySet()) {
                sysctls.put(entry.getKey(), entry.getValue().getAsString());
            }
            return new SandboxPlan(
                    Json.requiredString(json, "id"),
                    processFromJson(json.getAsJsonObject("process")),
                    Json.isTrue(json, "init"),
                    mounts,
                    sysctls,
                    Json.requiredString(json, "hostname"),
                    Json.requiredString(json, "domainname"),
                    Json.isTrue(json, "rootReadOnly"),
                    Json.requiredInt(json, "cpus"),
                    new MemorySize(Json.requiredNumber(json, "memory")),
                    Accelerator.valueOf(Json.requiredString(json, "accelerator")),
                    kernelFromJson(json.getAsJsonObject("kernel")),
                    CgroupMode.valueOf(Json.requiredString(json, "cgroups")),
                    Json.requiredNumber(json, "pidsLimit"),
                    NetworkMode.valueOf(Json.requiredString(json, "network")),
                    Json.isTrue(json, "sysAdmin"),
                    Json.isTrue(json, "biosDebug"),
                    disks,
                    json.has("board")
                            ? new Hardware(
                                    Board.valueOf(Json.requiredString(json, "board")),
                                    Firmware.valueOf(Json.requiredString(json, "firmware")))
                            : Hardware.ORDINARY,
                    breaks,
                    json.has("display") ? displayFromJson(json.getAsJsonObject("display")) : Display.NONE,
                    json.has("tscKilohertz") ? Json.requiredNumber(json, "tscKilohertz") : 0,
                    new Growth(
                            Json.requiredInt(json, "mostCpus"),
                            new MemorySize(Json.requiredNumber(json, "mostMemory"))),
                    devicesFromJson(json),
                    json.has("memoryCeiling") ? Json.requiredNumber(json, "memoryCeiling") : 0);
        } catch (RuntimeException e) {
            throw new DkvmException(
                    "the sandbox's plan is not valid: " + e.getMessage(), "create the container again", e);
        }
    }

    private static JsonObject processToJson(WorkloadProcess process) {
        JsonObject json = new JsonObject();
        json.add("args", Json.arrayOf(process.args()));
        json.add("env", Json.arrayOf(process.env()));
        json.addProperty("cwd", process.cwd());
        json.addProperty("uid", process.uid());
        json.addProperty("gid", process.gid());
        JsonArray groups = new JsonArray();
        process.groups().forEach(groups::add);
        json.add("groups", groups);
        json.addProperty("terminal", process.terminal());
        json.add("capabilities", capabilitiesToJson(process.capabilities()));
        json.addProperty("noNewPrivileges", process.noNewPrivileges());
        JsonArray limits = new JsonArray();
        for (ResourceLimit limit : process.limits()) {
            JsonObject item = new JsonObject();
            item.addProperty("resource", limit.resource());
            item.addProperty("soft", limit.soft());
            item.addProperty("hard", limit.hard());
            limits.add(item);
        }
        json.add("limits", limits);
        json.addProperty("oomScoreAdj", process.oomScoreAdj());
        json.addProperty("setHome", process.setHome());
        json.addProperty("umask", process.umask());
        return json;
    }

    private static WorkloadProcess processFromJson(JsonObject json) {
        List<Long> groups = new ArrayList<>();
        json.getAsJsonArray("groups").forEach(group -> groups.add(group.getAsLong()));
        List<ResourceLimit> limits = new ArrayList<>();
        for (JsonObject limit : Json.objects(json, "limits")) {
            limits.add(new ResourceLimit(
                    Json.requiredInt(limit, "resource"),
                    Json.requiredNumber(limit, "soft"),
                    Json.requiredNumber(limit, "hard")));
        }
        return new WorkloadProcess(
                Json.strings(json, "args"),
                Json.strings(json, "env"),
                Json.requiredString(json, "cwd"),
                Json.requiredNumber(json, "uid"),
                Json.requiredNumber(json, "gid"),
                groups,
                Json.isTrue(json, "terminal"),
                capabilitiesFromJson(json.getAsJsonObject("capabilities")),
                Json.isTrue(json, "noNewPrivileges"),
                limits,
                Json.requiredInt(json, "oomScoreAdj"),
                Json.isTrue(json, "setHome"),
                Json.requiredInt(json, "umask"));
    }

    private static JsonObject capabilitiesToJson(CapabilitySets sets) {
        JsonObject json = new JsonObject();
        json.addProperty("bounding", sets.bounding());
        json.addProperty("effective", sets.effective());
        json.addProperty("permitted", sets.permitted());
        json.addProperty("inheritable", sets.inheritable());
        json.addProperty("ambient", sets.ambient());
        return json;
    }

    private static CapabilitySets capabilitiesFromJson(JsonObject json) {
        return new CapabilitySets(
                Json.requiredNumber(json, "bounding"),
                Json.requiredNumber(json, "effective"),
                Json.requiredNumber(json, "permitted"),
                Json.requiredNumber(json, "inheritable"),
                Json.requiredNumber(json, "ambient"));
    }

    private static JsonObject mountToJson(GuestMount mount) {
        JsonObject json = new JsonObject();
        json.addProperty("kind", mount.kind().name());
        json.addProperty("target", mount.target());
        json.addProperty("source", mount.source());
        json.addProperty("filesystem", mount.filesystem());
        json.addProperty("flags", mount.flags());
        json.addProperty("data", mount.data());
        return json;
    }

    private static GuestMount mountFromJson(JsonObject json) {
        return new GuestMount(
                GuestMount.Kind.valueOf(Json.requiredString(json, "kind")),
                Json.requiredString(json, "target"),
                Json.requiredString(json, "source"),
                Json.requiredString(json, "filesystem"),
                Json.requiredNumber(json, "flags"),
                Json.requiredString(json, "data"));
    }

    private static JsonArray disksToJson(List<Disk> disks) {
        JsonArray json = new JsonArray();
        for (Disk disk : disks) {
            json.add(diskToJson(disk));
        }
        return json;
    }

    private static JsonObject diskToJson(Disk disk) {
        JsonObject json = new JsonObject();
        json.addProperty("source", disk.source());
        json.addProperty("target", disk.target());
        json.addProperty("filesystem", disk.filesystem().name());
        json.addProperty("bytes", disk.bytes());
        return json;
    }

    private static Disk diskFromJson(JsonObject json) {
        return new Disk(
                Json.requiredString(json, "source"),
                Json.requiredString(json, "target"),
                DiskFilesystem.valueOf(Json.requiredString(json, "filesystem")),
                Json.requiredNumber(json, "bytes"));
    }

    private static JsonArray devicesToJson(List<GuestDevice> devices) {
        JsonArray json = new JsonArray();
        for (GuestDevice device : devices) {
            JsonObject item = new JsonObject();
            item.addProperty("path", device.path());
            item.addProperty("block", device.block());
            item.addProperty("major", device.major());
            item.addProperty("minor", device.minor());
            item.addProperty("writable", device.writable());
            item.addProperty("mode", device.mode());
            item.addProperty("uid", device.uid());
            item.addProperty("gid", device.gid());
            json.add(item);
        }
        return json;
    }

    private static List<GuestDevice> devicesFromJson(JsonObject json) {
        List<GuestDevice> devices = new ArrayList<>();
        for (JsonObject item : Json.objects(json, "devices")) {
            devices.add(new GuestDevice(
                    Json.requiredString(item, "path"),
                    Json.isTrue(item, "block"),
                    Json.requiredInt(item, "major"),
                    Json.requiredInt(item, "minor"),
                    Json.isTrue(item, "writable"),
                    Json.requiredInt(item, "mode"),
                    Json.requiredNumber(item, "uid"),
                    Json.requiredNumber(item, "gid")));
        }
        return devices;
    }

    private static JsonObject displayToJson(Display display) {
        JsonObject json = new JsonObject();
        json.addProperty("mode", display.mode().name());
        json.addProperty("vga", display.vga().name());
        json.addProperty("number", display.number());
        json.addProperty("password", display.password().text());
        json.addProperty("passwordFile", display.password().file());
        return json;
    }

    private static Display displayFromJson(JsonObject json) {
        return new Display(
                DisplayMode.valueOf(Json.requiredString(json, "mode")),
                Vga.valueOf(Json.requiredString(json, "vga")),
                Json.requiredInt(json, "number"),
                new VncPassword(Json.requiredString(json, "password"), Json.requiredString(json, "passwordFile")));
    }

    private static JsonObject kernelToJson(GuestKernel kernel) {
        JsonObject json = new JsonObject();
        json.addProperty("name", kernel.name());
        if (kernel.architecture().isForeign()) {
            json.addProperty("architecture", kernel.architecture().name());
        }
        json.addProperty("image", kernel.image());
        json.addProperty("append", kernel.append());
        json.addProperty("debug", kernel.debug());
        return json;
    }

    private static GuestKernel kernelFromJson(JsonObject json) {
        return new GuestKernel(
                Json.requiredString(json, "name"),
                json.has("architecture")
                        ? Architecture.valueOf(Json.requiredString(json, "architecture"))
                        : Architecture.HOST,
                Json.requiredString(json, "image"),
                Json.requiredString(json, "append"),
                Json.isTrue(json, "debug"));
    }
}
