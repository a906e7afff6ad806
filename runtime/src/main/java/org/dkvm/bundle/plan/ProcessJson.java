// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.plan;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.container.CapabilitySets;
import org.dkvm.core.container.Command;
import org.dkvm.core.container.ProcessRights;
import org.dkvm.core.container.ProcessUser;
import org.dkvm.core.container.ResourceLimit;
import org.dkvm.core.container.WorkloadProcess;
import org.dkvm.json.Json;

/** The text form of a container's process. */
final class ProcessJson {
    private ProcessJson() {}

    static JsonObject toJson(WorkloadProcess process) {
        JsonObject json = new JsonObject();
        json.add("args", Json.arrayOf(process.command().args()));
        json.add("env", Json.arrayOf(process.command().env()));
        json.addProperty("cwd", process.command().cwd());
        json.addProperty("uid", process.user().uid());
        json.addProperty("gid", process.user().gid());
        JsonArray groups = new JsonArray();
        process.user().groups().forEach(groups::add);
        json.add("groups", groups);
        json.addProperty("terminal", process.terminal());
        json.add("capabilities", capabilitiesToJson(process.rights().capabilities()));
        json.addProperty("noNewPrivileges", process.rights().noNewPrivileges());
        JsonArray limits = new JsonArray();
        for (ResourceLimit limit : process.rights().limits()) {
            JsonObject item = new JsonObject();
            item.addProperty("resource", limit.resource());
            item.addProperty("soft", limit.soft());
            item.addProperty("hard", limit.hard());
            limits.add(item);
        }
        json.add("limits", limits);
        json.addProperty("oomScoreAdj", process.rights().oomScoreAdj());
        json.addProperty("setHome", process.command().setHome());
        json.addProperty("umask", process.user().umask());
        return json;
    }

    static WorkloadProcess fromJson(JsonObject json) {
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
                new Command(
                        Json.strings(json, "args"),
                        Json.requiredString(json, "cwd"),
                        Json.strings(json, "env"),
                        Json.isTrue(json, "setHome")),
                Json.isTrue(json, "terminal"),
                new ProcessUser(Json.requiredNumber(json, "uid"), Json.requiredNumber(json, "gid"), groups, (int)
                        Json.requiredNumber(json, "umask")),
                new ProcessRights(
                        capabilitiesFromJson(json.getAsJsonObject("capabilities")),
                        Json.isTrue(json, "noNewPrivileges"),
                        limits,
                        Json.requiredInt(json, "oomScoreAdj")));
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
}
