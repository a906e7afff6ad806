// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import org.dkvm.json.Json;

/** Tells an engine what happened the way runc does: a line in the log it named, from which it takes the last error, and one on stderr. */
final class RuntimeLog {
    /** Severity, by the names runc's log has for them. */
    enum Level {
        ERROR("error"),
        WARNING("warning");

        private final String label;

        Level(String label) {
            this.label = label;
        }
    }

    private final String file;
    private final boolean json;

    /**
     * @param file {@code --log}; empty: stderr only
     * @param json whether {@code --log-format} is json
     */
    RuntimeLog(String file, boolean json) {
        this.file = file;
        this.json = json;
    }

    void write(Level level, String message) {
        System.err.println(message);
        if (file.isEmpty()) {
            return;
        }
        try {
            Files.writeString(
                    Path.of(file),
                    line(level, message, Instant.now().toString()) + "\n",
                    StandardCharsets.UTF_8,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND);
        } catch (IOException | InvalidPathException e) {
            System.err.println("can not write to the log \"" + file + "\": " + e);
        }
    }

    /** One line of the log, as logrus writes it; the time is of RFC 3339. */
    String line(Level level, String message, String time) {
        if (json) {
            JsonObject line = new JsonObject();
            line.addProperty("level", level.label);
            line.addProperty("msg", message);
            line.addProperty("time", time);
            return Json.write(line);
        }
        return "time=\"" + time + "\" level=" + level.label + " msg=\""
                + message.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + "\"";
    }
}
