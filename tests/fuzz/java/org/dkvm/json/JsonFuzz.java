// SPDX-License-Identifier: Apache-2.0
package org.dkvm.json;

import com.google.gson.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.dkvm.core.DkvmException;
import org.dkvm.fuzz.Bounded;

/** JSON of anybody's: read, looked into, written; what is written reads as what was read. */
public final class JsonFuzz {
    private JsonFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        Bounded.run(input, bytes -> take(new String(bytes, StandardCharsets.UTF_8)));
    }

    private static void take(String text) throws DkvmException {
        JsonObject read;
        try {
            read = Json.parseObject(text, "input");
        } catch (DkvmException e) {
            return;
        }
        String written = Json.write(read);
        String again = Json.write(Json.parseObject(written, "written"));
        Bounded.check(written.equals(again), written + " is read as " + again);
        String pretty = Json.write(Json.parseObject(PrettyJson.write(read, text), "written for people"));
        Bounded.check(written.equals(pretty), written + " is written for people as " + pretty);
        look(read);
    }

    /** What is asked of members, whatever they are. */
    private static void look(JsonObject read) {
        for (String name : List.copyOf(read.keySet())) {
            Optional<Long> number = Json.number(read, name);
            Optional<String> string = Json.string(read, name);
            Bounded.check(number.isEmpty() || string.isEmpty(), "a number that is a string");
            Bounded.check(
                    Json.array(read, name).size()
                            >= Json.objects(read, name).size()
                                    + Json.strings(read, name).size(),
                    "more elements than there are");
            Json.isTrue(read, name);
            Json.object(read, name).ifPresent(JsonFuzz::look);
        }
    }
}
