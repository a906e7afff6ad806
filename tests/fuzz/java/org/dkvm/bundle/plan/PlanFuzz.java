// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.plan;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.dkvm.core.DkvmException;
import org.dkvm.fuzz.Bounded;
import org.dkvm.json.Json;

/** sandbox.json: what is taken says what stood there, and is written as it was. */
public final class PlanFuzz {
    private PlanFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        Bounded.run(input, bytes -> take(new String(bytes, StandardCharsets.UTF_8)));
    }

    private static void take(String text) throws DkvmException {
        JsonObject given;
        SandboxPlan plan;
        try {
            given = Json.parseObject(text, "plan");
            plan = SandboxPlanJson.fromJson(given);
        } catch (DkvmException e) {
            return;
        }
        JsonObject written = SandboxPlanJson.toJson(plan);
        Bounded.check(plan.equals(SandboxPlanJson.fromJson(written)), plan + " is written as " + written);
        checkKept(given, written);
    }

    /** Whether every number and text that is written is the one that was given, where one was. */
    private static void checkKept(JsonObject given, JsonObject written) {
        for (Map.Entry<String, JsonElement> member : written.entrySet()) {
            String name = member.getKey();
            if (member.getValue() instanceof JsonObject inner && given.get(name) instanceof JsonObject outer) {
                checkKept(outer, inner);
            } else if (member.getValue() instanceof JsonPrimitive && given.get(name) instanceof JsonPrimitive) {
                Bounded.check(
                        Json.number(given, name).equals(Json.number(written, name))
                                && Json.string(given, name).equals(Json.string(written, name)),
                        "\"" + name + "\" " + given.get(name) + " is taken for " + member.getValue());
            }
        }
    }
}
