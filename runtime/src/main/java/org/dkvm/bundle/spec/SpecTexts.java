// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.spec;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.util.Map;
import org.dkvm.core.DkvmException;

/** Whether a spec's texts are any: JSON can have characters that no path, argument or variable can (a NUL, half of a pair). */
final class SpecTexts {
    private SpecTexts() {}

    /** Refuses a spec with a text that no program could be given. */
    static void check(JsonObject spec) throws DkvmException {
        for (Map.Entry<String, JsonElement> member : spec.entrySet()) {
            checkText(member.getKey(), member.getKey());
            check(member.getKey(), member.getValue());
        }
    }

    /** No pattern switch: its bootstrap costs milliseconds at every start. */
    private static void check(String name, JsonElement value) throws DkvmException {
        if (value instanceof JsonObject object) {
            check(object);
        } else if (value instanceof JsonArray array) {
            for (JsonElement item : array) {
                check(name, item);
            }
        } else if (value instanceof JsonPrimitive primitive && primitive.isString()) {
            checkText(name, primitive.getAsString());
        }
    }

    private static void checkText(String name, String text) throws DkvmException {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean pair = i + 1 < text.length() && Character.isSurrogatePair(c, text.charAt(i + 1));
            if (c == 0 || (Character.isSurrogate(c) && !pair)) {
                throw new DkvmException(
                        "a text in the spec's \"" + (name.equals(text) ? "?" : name)
                                + "\" has a character that no program can be given: \\u"
                                + Integer.toHexString(0x10000 | c).substring(1),
                        "");
            }
            i += pair ? 1 : 0;
        }
    }
}
