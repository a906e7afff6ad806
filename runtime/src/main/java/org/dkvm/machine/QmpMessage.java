// SPDX-License-Identifier: Apache-2.0
package org.dkvm.machine;

import com.google.gson.JsonObject;
import java.util.Optional;
import org.dkvm.core.DkvmException;
import org.dkvm.json.Json;

/**
 * A message of QEMU's control protocol. See QEMU's docs/interop/qmp-spec.rst.
 *
 * @param kind what it is (no sealed type: a switch over types costs the start of a VM 10 ms)
 * @param text an event's name and details, a failure's description
 */
public record QmpMessage(Kind kind, String text) {
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
            return new QmpMessage(Kind.GREETING, "");
        }
        Optional<String> event = Json.string(json, "event");
        if (event.isPresent()) {
            Optional<JsonObject> details = Json.object(json, "data");
            return new QmpMessage(Kind.EVENT, event.get() + (details.isPresent() ? " " + details.get() : ""));
        }
        Optional<JsonObject> error = Json.object(json, "error");
        if (error.isPresent()) {
            return new QmpMessage(Kind.FAILED, Json.string(error.get(), "desc").orElse("without a description"));
        }
        return new QmpMessage(Kind.DONE, "");
    }
}
