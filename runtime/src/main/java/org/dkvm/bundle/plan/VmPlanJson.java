// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.plan;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.dkvm.core.Architecture;
import org.dkvm.core.MemorySize;
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
import org.dkvm.core.machine.HostNames;
import org.dkvm.core.machine.KvmUse;
import org.dkvm.core.machine.MachineShape;
import org.dkvm.core.machine.MachineSize;
import org.dkvm.core.machine.NetworkMode;
import org.dkvm.core.machine.Processor;
import org.dkvm.core.machine.Vga;
import org.dkvm.core.machine.VncPassword;
import org.dkvm.json.Json;

/** The text form of the VM's part of the plan; what is as in most VMs is left out. */
final class VmPlanJson {
    private VmPlanJson() {}

    static JsonObject toJson(VmPlan plan) {
        JsonObject json = new JsonObject();
        shapeToJson(json, plan.shape());
        json.addProperty("hostname", plan.names().host());
        json.addProperty("domainname", plan.names().domain());
        JsonObject sysctls = new JsonObject();
        plan.sysctls().forEach(sysctls::addProperty);
        json.add("sysctls", sysctls);
        json.addProperty("network", plan.network().name());
        if (!plan.disks().isEmpty()) {
            json.add("disks", disksToJson(plan.disks()));
        }
        if (!plan.breaks().isEmpty()) {
            JsonArray breaks = new JsonArray();
            plan.breaks().forEach(point -> breaks.add(point.name()));
            json.add("breaks", breaks);
        }
        if (plan.restored()) {
            json.addProperty("template", plan.template());
        }
        return json;
    }

    static VmPlan fromJson(JsonObject json) {
        List<Disk> disks = new ArrayList<>();
        for (JsonObject disk : Json.objects(json, "disks")) {
            disks.add(diskFromJson(disk));
        }
        List<BreakPoint> breaks = new ArrayList<>();
        for (String point : Json.strings(json, "breaks")) {
            breaks.add(BreakPoint.valueOf(point));
        }
        Map<String, String> sysctls = new LinkedHashMap<>();
        for (Map.Entry<String, JsonElement> entry :
                json.getAsJsonObject("sysctls").entrySet()) {
            sysctls.put(entry.getKey(), entry.getValue().getAsString());
        }
        return new VmPlan(
                shapeFromJson(json),
                disks,
                NetworkMode.valueOf(Json.requiredString(json, "network")),
                breaks,
                new HostNames(Json.requiredString(json, "hostname"), Json.requiredString(json, "domainname")),
                sysctls,
                Json.string(json, "template").orElse(""));
    }

    private static void shapeToJson(JsonObject json, MachineShape shape) {
        json.add("kernel", kernelToJson(shape.kernel()));
        json.addProperty("accelerator", shape.processor().accelerator().name());
        if (shape.processor().kvm().nested()) {
            json.addProperty("kvmNested", true);
        }
        if (shape.processor().kvm().replaceable()) {
            json.addProperty("kvmReplaceable", true);
        }
        if (shape.processor().tscKilohertz() > 0) {
            json.addProperty("tscKilohertz", shape.processor().tscKilohertz());
        }
        MachineSize size = shape.size();
        json.addProperty("cpus", size.cpus());
        json.addProperty("memory", size.memory().bytes());
        json.addProperty("mostCpus", size.growth().cpus());
        json.addProperty("mostMemory", size.growth().memory().bytes());
        if (!shape.hardware().isOrdinary()) {
            json.addProperty("board", shape.hardware().board().name());
            json.addProperty("firmware", shape.hardware().firmware().name());
        }
        json.addProperty("firmwareDebug", shape.firmwareDebug());
        if (!shape.display().isNone()) {
            json.add("display", displayToJson(shape.display()));
        }
    }

    private static MachineShape shapeFromJson(JsonObject json) {
        return new MachineShape(
                kernelFromJson(json.getAsJsonObject("kernel")),
                new Processor(
                        Accelerator.valueOf(Json.requiredString(json, "accelerator")),
                        new KvmUse(Json.isTrue(json, "kvmNested"), Json.isTrue(json, "kvmReplaceable")),
                        json.has("tscKilohertz") ? Json.requiredNumber(json, "tscKilohertz") : 0),
                new MachineSize(
                        Json.requiredInt(json, "cpus"),
                        new MemorySize(Json.requiredNumber(json, "memory")),
                        new Growth(
                                Json.requiredInt(json, "mostCpus"),
                                new MemorySize(Json.requiredNumber(json, "mostMemory")))),
                json.has("board")
                        ? new Hardware(
                                Board.valueOf(Json.requiredString(json, "board")),
                                Firmware.valueOf(Json.requiredString(json, "firmware")))
                        : Hardware.ORDINARY,
                Json.isTrue(json, "firmwareDebug"),
                json.has("display") ? displayFromJson(json.getAsJsonObject("display")) : Display.NONE);
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
