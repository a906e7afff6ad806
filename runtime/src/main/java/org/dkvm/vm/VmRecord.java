// SPDX-License-Identifier: Apache-2.0
package org.dkvm.vm;

import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.time.Instant;
import org.dkvm.core.ContainerId;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.json.Json;

/**
 * The host's own word on a VM, vm.json: written when its container is created, and never by anything in the sandbox.
 *
 * @param id the container
 * @param name what the engine called it then; empty where it did not tell
 * @param state the directory in which the OCI runtime has the container's state
 * @param kernel the kernel's name
 * @param accelerator how it runs
 * @param cpus its processors
 * @param memory its memory
 * @param created when create was done with it
 * @param beginNanos when create's process was started, as System.nanoTime tells the time in all processes of the host
 * @param endNanos when create was done
 */
public record VmRecord(
        ContainerId id,
        String name,
        Path state,
        String kernel,
        Accelerator accelerator,
        int cpus,
        MemorySize memory,
        Instant created,
        long beginNanos,
        long endNanos) {
    /** The file's name. */
    public static final String FILE = "vm.json";

    /** The record as a JSON object. */
    public JsonObject toJson() {
        JsonObject json = new JsonObject();
        json.addProperty("id", id.value());
        json.addProperty("name", name);
        json.addProperty("state", state.toString());
        json.addProperty("kernel", kernel);
        json.addProperty("accelerator", accelerator.name());
        json.addProperty("cpus", cpus);
        json.addProperty("memory", memory.bytes());
        json.addProperty("createdMillis", created.toEpochMilli());
        json.addProperty("beginNanos", beginNanos);
        json.addProperty("endNanos", endNanos);
        return json;
    }

    /** The record in a file. */
    static VmRecord read(Path file) throws DkvmException {
        JsonObject json = Json.readObject(file);
        try {
            return new VmRecord(
                    new ContainerId(Json.requiredString(json, "id")),
                    Json.requiredString(json, "name"),
                    Path.of(Json.requiredString(json, "state")),
                    Json.requiredString(json, "kernel"),
                    Accelerator.valueOf(Json.requiredString(json, "accelerator")),
                    Json.requiredInt(json, "cpus"),
                    new MemorySize(Json.requiredNumber(json, "memory")),
                    Instant.ofEpochMilli(Json.requiredNumber(json, "createdMillis")),
                    Json.requiredNumber(json, "beginNanos"),
                    Json.requiredNumber(json, "endNanos"));
        } catch (IllegalArgumentException e) {
            throw new DkvmException("\"" + file + "\" is no record of a VM: " + e.getMessage(), "", e);
        }
    }
}
