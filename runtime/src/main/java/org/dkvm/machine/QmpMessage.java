// SPDX-License-Identifier: Apache-2.0
package org.dkvm.machine;

import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import java.util.Optional;
import org.dkvm.core.DkvmException;
import org.dkvm.json.Json;

/**
 * A message of QEMU's control protocol. See QEMU's docs/interop/qmp-spec.rst.
 *
 * @param kind what it is (no sealed type: a switch over types costs the start of a VM 10 ms)
 * @param id of the command that it answers; 0 where it answers none of ours
 * @param text an event's name, a failure's description
 * @param details what belongs to the event, what the command returned; JSON's null for none
 */
public record QmpMessage(Kind kind, long id, String text, JsonElement details) {
    /** The command after which QEMU takes others and tells events. */
    public static final String NEGOTIATE = "{\"execute\":\"qmp_capabilities\"}\n";

    /** What QEMU says. */
    public enum Kind {
        /** Its first words. */
        GREETING,
        /** Something happened: SHUTDOWN, GUEST_PANICKED, DEVICE_DELETED. */
        EVENT,
        /** A command was done. */
        DONE,
        /** A command failed. */
        FAILED
    }

    /** The message in a line. */
    public static QmpMessage parse(String line) throws DkvmException {
        JsonObject json = Json.parseObject(line, "QEMU's control socket");
        if (json.has("QMP")) {
            return new QmpMessage(Kind.GREETING, 0, "", JsonNull.INSTANCE);
        }
        Optional<String> event = Json.string(json, "event");
        if (event.isPresent()) {
            return new QmpMessage(Kind.EVENT, 0, event.get(), details(json, "data"));
        }
        long id = Json.number(json, "id").orElse(0L);
        Optional<JsonObject> error = Json.object(json, "error");
        if (error.isPresent()) {
            String why = Json.string(error.get(), "desc").orElse("without a description");
            return new QmpMessage(Kind.FAILED, id, why, JsonNull.INSTANCE);
        }
        return new QmpMessage(Kind.DONE, id, "", details(json, "return"));
    }

    /**
     * The line that has QEMU do something.
     *
     * @param id comes back in the answer; not 0
     */
    public static String command(long id, String name, JsonObject arguments) {
        JsonObject command = new JsonObject();
        command.addProperty("execute", name);
        command.addProperty("id", id);
        if (!arguments.isEmpty()) {
            command.add("arguments", arguments);
        }
        return Json.write(command) + "\n";
    }

    /** It in one line, for people. */
    public String described() {
        return text + (details.isJsonNull() ? "" : " " + details);
    }

    private static JsonElement details(JsonObject json, String name) {
        return json.has(name) ? json.get(name) : JsonNull.INSTANCE;
    }
}
