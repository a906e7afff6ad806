// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.plan;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.dkvm.core.DkvmException;
import org.dkvm.core.machine.SandboxFile;
import org.dkvm.json.Json;

/** The text form of a {@link SandboxPlan}: sandbox.json. Both sides are DKVM's own and of one version; a file that does not fit is refused whole. */
public final class SandboxPlanJson {
    private SandboxPlanJson() {}

    /** The plan as a JSON object. */
    public static JsonObject toJson(SandboxPlan plan) {
        JsonObject json = new JsonObject();
        json.add("vm", VmPlanJson.toJson(plan.vm()));
        json.add("rights", rightsToJson(plan.rights()));
        JsonArray containers = new JsonArray();
        plan.containers().forEach(container -> containers.add(ContainerPlanJson.toJson(container)));
        json.add("containers", containers);
        json.add("mounts", mountsToJson(plan.mounts()));
        return json;
    }

    /** The plan in a JSON object. */
    public static SandboxPlan fromJson(JsonObject json) throws DkvmException {
        try {
            List<ContainerPlan> containers = new ArrayList<>();
            for (JsonObject container : Json.objects(json, "containers")) {
                containers.add(ContainerPlanJson.fromJson(container));
            }
            return new SandboxPlan(
                    VmPlanJson.fromJson(json.getAsJsonObject("vm")),
                    rightsFromJson(json.getAsJsonObject("rights")),
                    containers,
                    mountsFromJson(json.getAsJsonObject("mounts")));
        } catch (RuntimeException e) {
            throw new DkvmException(
                    "the sandbox's plan is not valid: " + e.getMessage(), "create the container again", e);
        }
    }

    private static JsonObject mountsToJson(SandboxMounts mounts) {
        JsonObject json = new JsonObject();
        json.add("points", Json.arrayOf(mounts.points()));
        if (!mounts.files().isEmpty()) {
            JsonArray files = new JsonArray();
            mounts.files().forEach((path, file) -> {
                JsonObject item = new JsonObject();
                item.addProperty("file", path);
                item.addProperty("root", file.root());
                item.addProperty("path", file.path());
                files.add(item);
            });
            json.add("files", files);
        }
        return json;
    }

    private static SandboxMounts mountsFromJson(JsonObject json) {
        Map<String, SandboxFile> files = new LinkedHashMap<>();
        for (JsonObject item : Json.objects(json, "files")) {
            files.put(
                    Json.requiredString(item, "file"),
                    new SandboxFile(Json.requiredString(item, "root"), Json.requiredString(item, "path")));
        }
        return new SandboxMounts(Json.strings(json, "points"), files);
    }

    private static JsonObject rightsToJson(SandboxRights rights) {
        JsonObject json = new JsonObject();
        json.addProperty("sysAdmin", rights.sysAdmin());
        if (rights.memoryCeiling() > 0) {
            json.addProperty("memoryCeiling", rights.memoryCeiling());
        }
        if (rights.startSeconds() != SandboxRights.USUAL_START_SECONDS) {
            json.addProperty("startSeconds", rights.startSeconds());
        }
        return json;
    }

    private static SandboxRights rightsFromJson(JsonObject json) {
        return new SandboxRights(
                Json.isTrue(json, "sysAdmin"),
                json.has("memoryCeiling") ? Json.requiredNumber(json, "memoryCeiling") : 0,
                json.has("startSeconds") ? Json.requiredInt(json, "startSeconds") : SandboxRights.USUAL_START_SECONDS);
    }
}
