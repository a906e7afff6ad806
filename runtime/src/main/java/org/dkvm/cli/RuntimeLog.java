// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import org.dkvm.json.Json;

/** Tells an engine what happened the way runc does: a line in the log it named, from which it takes the last error; and errors on stderr. */
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
    private final PrintStream stderr;

    /**
     * @param file {@code --log}; empty: stderr only
     * @param json whether {@code --log-format} is json
     */
    RuntimeLog(String file, boolean json) {
        this(file, json, System.err);
    }

    RuntimeLog(String file, boolean json, PrintStream stderr) {
        this.file = file;
        this.json = json;
        this.stderr = stderr;
    }

    /** Writes it. What stands on stderr the engine takes for the container's own, so a warning is there only where there is no log. */
    void write(Level level, String message) {
        if (level == Level.ERROR || file.isEmpty()) {
            stderr.println(message);
        }
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
            stderr.println("can not write to the log \"" + file + "\": " + e);
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
