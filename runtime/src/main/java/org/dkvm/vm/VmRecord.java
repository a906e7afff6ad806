// SPDX-License-Identifier: Apache-2.0
package org.dkvm.vm;

import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
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
 * @param machine what it is
 * @param created when create was done with it, and how long that took
 * @param writable paths of the host, without links, that its container may write to
 * @param pod the pod whose VM it is, or is in; empty for none
 */
public record VmRecord(
        ContainerId id,
        String name,
        Path state,
        VmSummary machine,
        Creation created,
        List<String> writable,
        String pod) {
    public VmRecord {
        writable = List.copyOf(writable);
    }

    /** A VM of no pod. */
    public VmRecord(
            ContainerId id, String name, Path state, VmSummary machine, Creation created, List<String> writable) {
        this(id, name, state, machine, created, writable, "");
    }

    /** The same, of a pod: its VM, or a further container in that. */
    public VmRecord in(ContainerId whose) {
        return new VmRecord(id, name, state, machine, created, writable, whose.value());
    }

    /** Whether both are the same VM, as containers of one pod are. */
    boolean isWith(VmRecord other) {
        return !pod.isEmpty() && pod.equals(other.pod);
    }

    /** The file's name. */
    public static final String FILE = "vm.json";

    private static final int SHORT_ID = 12;

    /** What to call it: its name, or the beginning of its id. */
    public String title() {
        return name.isEmpty()
                ? id.value().substring(0, Math.min(SHORT_ID, id.value().length()))
                : name;
    }

    /** The record as a JSON object. */
    public JsonObject toJson() {
        JsonObject json = new JsonObject();
        json.addProperty("id", id.value());
        json.addProperty("name", name);
        json.addProperty("state", state.toString());
        json.addProperty("kernel", machine.kernel());
        json.addProperty("accelerator", machine.accelerator().name());
        json.addProperty("cpus", machine.cpus());
        json.addProperty("memory", machine.memory().bytes());
        json.addProperty("createdMillis", created.at().toEpochMilli());
        json.addProperty("beginNanos", created.beginNanos());
        json.addProperty("endNanos", created.endNanos());
        json.add("writable", Json.arrayOf(writable));
        if (!pod.isEmpty()) {
            json.addProperty("pod", pod);
        }
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
                    new VmSummary(
                            Json.requiredString(json, "kernel"),
                            Accelerator.valueOf(Json.requiredString(json, "accelerator")),
                            Json.requiredInt(json, "cpus"),
                            new MemorySize(Json.requiredNumber(json, "memory"))),
                    new Creation(
                            Json.requiredNumber(json, "beginNanos"),
                            Instant.ofEpochMilli(Json.requiredNumber(json, "createdMillis")),
                            Json.requiredNumber(json, "endNanos")),
                    Json.strings(json, "writable"),
                    Json.string(json, "pod").orElse(""));
        } catch (IllegalArgumentException e) {
            throw new DkvmException("\"" + file + "\" is no record of a VM: " + e.getMessage(), "", e);
        }
    }
}
