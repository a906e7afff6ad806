// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.plan;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.container.CgroupMode;
import org.dkvm.core.container.ContainerCgroup;
import org.dkvm.core.container.ContainerRoot;
import org.dkvm.core.container.DeviceNumber;
import org.dkvm.core.container.GuestDevice;
import org.dkvm.core.container.GuestMount;
import org.dkvm.core.container.HiddenPaths;
import org.dkvm.core.container.NodeAccess;
import org.dkvm.json.Json;

/** The text form of a container's part of the plan. */
final class ContainerPlanJson {
    private ContainerPlanJson() {}

    static JsonObject toJson(ContainerPlan plan) {
        JsonObject json = new JsonObject();
        json.addProperty("id", plan.id());
        json.add("process", ProcessJson.toJson(plan.process()));
        json.addProperty("init", plan.init());
        json.addProperty("rootReadOnly", plan.root().readOnly());
        JsonArray mounts = new JsonArray();
        plan.root().mounts().forEach(mount -> mounts.add(mountToJson(mount)));
        json.add("mounts", mounts);
        HiddenPaths hidden = plan.root().hidden();
        if (!hidden.isEmpty()) {
            json.add("masked", Json.arrayOf(hidden.masked()));
            json.add("readOnly", Json.arrayOf(hidden.readOnly()));
        }
        if (!plan.devices().isEmpty()) {
            json.add("devices", devicesToJson(plan.devices()));
        }
        json.addProperty("cgroups", plan.cgroup().mode().name());
        json.addProperty("pidsLimit", plan.cgroup().pidsLimit());
        return json;
    }

    static ContainerPlan fromJson(JsonObject json) {
        List<GuestMount> mounts = new ArrayList<>();
        for (JsonObject mount : Json.objects(json, "mounts")) {
            mounts.add(mountFromJson(mount));
        }
        return new ContainerPlan(
                Json.requiredString(json, "id"),
                ProcessJson.fromJson(json.getAsJsonObject("process")),
                Json.isTrue(json, "init"),
                new ContainerRoot(
                        Json.isTrue(json, "rootReadOnly"),
                        mounts,
                        new HiddenPaths(Json.strings(json, "masked"), Json.strings(json, "readOnly"))),
                devicesFromJson(json),
                new ContainerCgroup(
                        CgroupMode.valueOf(Json.requiredString(json, "cgroups")),
                        Json.requiredNumber(json, "pidsLimit")));
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

    private static JsonArray devicesToJson(List<GuestDevice> devices) {
        JsonArray json = new JsonArray();
        for (GuestDevice device : devices) {
            JsonObject item = new JsonObject();
            item.addProperty("path", device.path());
            item.addProperty("block", device.number().block());
            item.addProperty("major", device.number().major());
            item.addProperty("minor", device.number().minor());
            item.addProperty("writable", device.writable());
            item.addProperty("mode", device.node().mode());
            item.addProperty("uid", device.node().uid());
            item.addProperty("gid", device.node().gid());
            json.add(item);
        }
        return json;
    }

    private static List<GuestDevice> devicesFromJson(JsonObject json) {
        List<GuestDevice> devices = new ArrayList<>();
        for (JsonObject item : Json.objects(json, "devices")) {
            devices.add(new GuestDevice(
                    Json.requiredString(item, "path"),
                    new DeviceNumber(Json.isTrue(item, "block"), Json.requiredInt(item, "major"), (int)
                            Json.requiredNumber(item, "minor")),
                    Json.isTrue(item, "writable"),
                    new NodeAccess(
                            Json.requiredInt(item, "mode"),
                            Json.requiredNumber(item, "uid"),
                            Json.requiredNumber(item, "gid"))));
        }
        return devices;
    }
}
