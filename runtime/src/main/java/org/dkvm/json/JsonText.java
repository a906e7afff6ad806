// SPDX-License-Identifier: Apache-2.0
package org.dkvm.json;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.util.Map;

/** Writes JSON trees. Gson's own writers load hundreds of classes and compile patterns: half of the time create takes. See RFC 8259. */
final class JsonText {
    private static final String HEX = "0123456789abcdef";

    private JsonText() {}

    /** No pattern switch: its bootstrap costs milliseconds at every start. */
    @SuppressWarnings("IfChainToSwitch")
    static void append(StringBuilder text, JsonElement element) {
        if (element instanceof JsonObject object) {
            char separator = '{';
            for (Map.Entry<String, JsonElement> member : object.entrySet()) {
                text.append(separator);
                appendString(text, member.getKey());
                text.append(':');
                append(text, member.getValue());
                separator = ',';
            }
            text.append(object.isEmpty() ? "{}" : "}");
        } else if (element instanceof JsonArray array) {
            char separator = '[';
            for (JsonElement item : array) {
                text.append(separator);
                append(text, item);
                separator = ',';
            }
            text.append(array.isEmpty() ? "[]" : "]");
        } else if (element instanceof JsonPrimitive primitive && primitive.isString()) {
            appendString(text, primitive.getAsString());
        } else if (element instanceof JsonPrimitive primitive) {
            // true, false, or a number as it was read.
            text.append(primitive.getAsString());
        } else {
            text.append("null");
        }
    }

    static void appendString(StringBuilder text, String value) {
        text.append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '"' || c == '\\') {
                text.append('\\').append(c);
            } else if (c < ' ') {
                text.append("\\u00").append(HEX.charAt(c >> 4)).append(HEX.charAt(c & 0xF));
            } else {
                text.append(c);
            }
        }
        text.append('"');
    }
}
