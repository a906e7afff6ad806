// SPDX-License-Identifier: Apache-2.0
package org.dkvm.exec;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.List;
import org.dkvm.core.DkvmException;
import org.dkvm.json.Json;

/** Makes the process of {@code runc exec ID PROGRAM …} from the container's own, as runc does. */
final class ArgumentProcess {
    private ArgumentProcess() {}

    static JsonObject of(ExecRequest.Arguments arguments, JsonObject containerProcess) throws DkvmException {
        if (arguments.args().isEmpty()) {
            throw new DkvmException("exec: no program given", "give a program, or --process and a file");
        }
        JsonObject process = containerProcess.deepCopy();
        process.remove("consoleSize");
        process.add("args", Json.arrayOf(arguments.args()));
        process.addProperty("terminal", arguments.terminal());
        if (!arguments.cwd().isEmpty()) {
            process.addProperty("cwd", arguments.cwd());
        }
        if (arguments.user().noNewPrivileges()) {
            process.addProperty("noNewPrivileges", true);
        }
        append(process, "env", arguments.env());
        JsonObject capabilities = Json.objectOrNew(process, "capabilities");
        for (String set : List.of("bounding", "effective", "permitted")) {
            append(capabilities, set, arguments.user().capabilities());
        }
        JsonObject user = Json.objectOrNew(process, "user");
        if (!arguments.user().user().isEmpty()) {
            setUser(user, arguments.user().user());
        }
        for (String group : arguments.user().groups()) {
            JsonArray groups = user.get("additionalGids") instanceof JsonArray array ? array : new JsonArray();
            groups.add(id(group));
            user.add("additionalGids", groups);
        }
        return process;
    }

    private static void append(JsonObject object, String name, List<String> values) {
        if (!values.isEmpty()) {
            JsonArray array = Json.arrayOf(Json.strings(object, name));
            values.forEach(array::add);
            object.add(name, array);
        }
    }

    private static void setUser(JsonObject user, String text) throws DkvmException {
        int colon = text.indexOf(':');
        user.addProperty("uid", id(colon < 0 ? text : text.substring(0, colon)));
        if (colon >= 0) {
            user.addProperty("gid", id(text.substring(colon + 1)));
        }
    }

    private static long id(String text) throws DkvmException {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new DkvmException("user or group id \"" + text + "\" is not a number", "", e);
        }
    }
}
