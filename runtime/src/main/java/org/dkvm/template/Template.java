// SPDX-License-Identifier: Apache-2.0
package org.dkvm.template;

import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.time.Instant;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.json.Json;

/**
 * A saved machine.
 *
 * @param key what it is of
 * @param directory where it is
 * @param memory the machine's
 * @param cpus those that it can have, and those that it starts with among them
 * @param made when
 * @param digests of its files, as SHA-256
 */
public record Template(
        TemplateKey key, Path directory, MemorySize memory, int cpus, Instant made, Template.Digests digests) {
    /** Its memory, in pieces: see native/sandbox/init/template.h. */
    public static final String MEMORY = "memory";

    /** QEMU's stream of all else. */
    public static final String STATE = "state";

    static final String RECORD = "template.json";

    /** What its files are to be, in hexadecimal digits. */
    public record Digests(String ofMemory, String ofState) {}

    JsonObject toJson() {
        JsonObject json = new JsonObject();
        json.addProperty("key", key.text());
        json.addProperty("memoryBytes", memory.bytes());
        json.addProperty("cpus", cpus);
        json.addProperty("madeMillis", made.toEpochMilli());
        json.addProperty(MEMORY, digests.ofMemory());
        json.addProperty(STATE, digests.ofState());
        return json;
    }

    /** The one in a directory, as its record tells. */
    static Template read(Path directory) throws DkvmException {
        Path file = directory.resolve(RECORD);
        JsonObject json = Json.readObject(file);
        try {
            return new Template(
                    new TemplateKey(Json.requiredString(json, "key")),
                    directory,
                    new MemorySize(Json.requiredNumber(json, "memoryBytes")),
                    Json.requiredInt(json, "cpus"),
                    Instant.ofEpochMilli(Json.requiredNumber(json, "madeMillis")),
                    new Digests(Json.requiredString(json, MEMORY), Json.requiredString(json, STATE)));
        } catch (IllegalArgumentException e) {
            throw new DkvmException("\"" + file + "\" is no record of a template: " + e.getMessage(), "", e);
        }
    }
}
