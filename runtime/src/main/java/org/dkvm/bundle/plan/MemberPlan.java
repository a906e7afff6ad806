// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.plan;

import com.google.gson.JsonObject;
import org.dkvm.core.DkvmException;
import org.dkvm.core.container.MemberLimits;
import org.dkvm.json.Json;

/**
 * What the monitor of a pod's VM needs to know of a further container: written by that one's create, read when its first process is to start.
 *
 * @param number the container's in the VM, from 2 on
 * @param container what the guest is told of it; the sources of slots are paths in the share
 * @param limits what it is held to in the guest
 * @param namespaces what it does not share with the VM's others
 */
public record MemberPlan(int number, ContainerPlan container, MemberLimits limits, MemberNamespaces namespaces) {
    /** The least number: 1 is the container that a VM starts with. */
    public static final int FIRST = 2;

    private static final String NUMBER = "member";

    public MemberPlan {
        if (number < FIRST) {
            throw new IllegalArgumentException("container " + number + " is no further one");
        }
    }

    /** Where the share has its root. */
    public String rootSlot() {
        return slots(number) + "root";
    }

    /** What the names of its own slots begin with, in the share. */
    public static String slots(int number) {
        return "pod/" + number + "/";
    }

    /** The number in a plan beside a bundle's spec; 0 where that is a VM's plan. */
    public static int numberIn(JsonObject plan) {
        return Json.number(plan, NUMBER).orElse(0L).intValue();
    }

    /** The plan as a JSON object. */
    public JsonObject toJson() {
        JsonObject json = new JsonObject();
        json.addProperty(NUMBER, number);
        json.add("container", ContainerPlanJson.toJson(container));
        json.addProperty("memory", limits.memory());
        json.addProperty("cpuQuota", limits.cpuQuota());
        json.addProperty("cpuPeriod", limits.cpuPeriod());
        json.addProperty("cpuWeight", limits.cpuWeight());
        json.addProperty("unlimited", limits.unlimited());
        namespaces.addTo(json);
        return json;
    }

    /** The plan in a JSON object. */
    public static MemberPlan fromJson(JsonObject json) throws DkvmException {
        try {
            return new MemberPlan(
                    Json.requiredInt(json, NUMBER),
                    ContainerPlanJson.fromJson(json.getAsJsonObject("container")),
                    new MemberLimits(
                            Json.requiredNumber(json, "memory"),
                            Json.requiredNumber(json, "cpuQuota"),
                            Json.requiredNumber(json, "cpuPeriod"),
                            Json.requiredNumber(json, "cpuWeight"),
                            Json.requiredNumber(json, "unlimited")),
                    MemberNamespaces.in(json));
        } catch (RuntimeException e) {
            throw new DkvmException(
                    "the container's plan is not valid: " + e.getMessage(), "create the container again", e);
        }
    }
}
