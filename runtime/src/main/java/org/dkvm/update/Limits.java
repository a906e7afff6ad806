// SPDX-License-Identifier: Apache-2.0
package org.dkvm.update;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.Map;
import java.util.Optional;
import org.dkvm.bundle.options.HostConfig;
import org.dkvm.bundle.plan.SandboxPlan;
import org.dkvm.bundle.sandbox.SandboxResources;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.json.Json;

/**
 * A container's limits as far as they are its VM's.
 *
 * @param memory the VM's memory
 * @param cpus its CPUs
 * @param pids processes of the workload; 0: no limit
 * @param cpu the spec's "cpu", from which {@code cpus} follows
 */
record Limits(MemorySize memory, int cpus, long pids, JsonObject cpu) {
    private static final String LIMIT = "limit";
    /** dkvm-exec's word for no limit. */
    private static final String NONE = Long.toUnsignedString(-1);

    /** These with what an engine wants to change; zero or nothing stays as it is. */
    Limits with(JsonObject resources, SandboxPlan plan, HostConfig config, int hostCpus) throws DkvmException {
        long limit = number(resources, "memory");
        if (limit < 0) {
            throw new DkvmException("a VM has as much memory as its limit: it can not be without one", "give a number");
        }
        long processes = number(resources, "pids");
        JsonObject merged = cpu.deepCopy();
        boolean changed = false;
        for (Map.Entry<String, JsonElement> given :
                Json.object(resources, "cpu").orElseGet(JsonObject::new).entrySet()) {
            if (says(given.getValue())) {
                merged.add(given.getKey(), given.getValue());
                changed = true;
            }
        }
        return new Limits(
                limit == 0
                        ? memory
                        : SandboxResources.memory(
                                limit, plan.vm().shape().kernel().architecture()),
                changed ? SandboxResources.cpus(merged, config, hostCpus) : cpus,
                processes == 0 ? pids : Math.max(0, processes),
                merged);
    }

    private static long number(JsonObject resources, String name) {
        Optional<JsonObject> given = Json.object(resources, name);
        return given.isPresent() ? Json.number(given.get(), LIMIT).orElse(0L) : 0;
    }

    private static boolean says(JsonElement value) {
        return value.isJsonPrimitive() && !value.getAsString().isEmpty() && !"0".equals(value.getAsString());
    }

    /** What dkvm-exec is to say to change those into these, {@code memory:cpus:pids}; empty when nothing changes. */
    String changeFrom(Limits before) {
        String bytes = memory.equals(before.memory) ? "0" : Long.toString(memory.bytes());
        String count = cpus == before.cpus ? "0" : Integer.toString(cpus);
        String processes = pids == before.pids ? "0" : pids == 0 ? NONE : Long.toString(pids);
        String change = bytes + ":" + count + ":" + processes;
        return "0:0:0".equals(change) ? "" : change;
    }

    JsonObject toJson() {
        JsonObject json = new JsonObject();
        json.addProperty("memory", memory.bytes());
        json.addProperty("cpus", cpus);
        json.addProperty("pids", pids);
        json.add("cpu", cpu);
        return json;
    }

    static Limits fromJson(JsonObject json) {
        return new Limits(
                new MemorySize(Json.number(json, "memory").orElse(0L)),
                Math.toIntExact(Json.number(json, "cpus").orElse(1L)),
                Json.number(json, "pids").orElse(0L),
                Json.objectOrNew(json, "cpu"));
    }
}
