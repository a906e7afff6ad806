// SPDX-License-Identifier: Apache-2.0
package org.dkvm.json;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.io.IOException;
import java.io.StringReader;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.dkvm.core.DkvmException;

/** Reads, looks into and writes JSON trees (Gson's tree model; no reflection). Unknown members and numbers survive as they stood. */
public final class Json {
    /** The largest file read, in bytes: an OCI spec with the largest environment a kernel takes stays far below. */
    public static final long MAX_FILE_BYTES = 32L * 1024 * 1024;

    private static final int FIRST_LENGTH = 16 * 1024;

    private Json() {}

    /** The object in a file. */
    public static JsonObject readObject(Path file) throws DkvmException {
        try {
            long size = Files.size(file);
            if (size > MAX_FILE_BYTES) {
                throw new DkvmException("\"" + file + "\" has " + size + " bytes, more than " + MAX_FILE_BYTES, "");
            }
            return parseObject(new String(Files.readAllBytes(file), StandardCharsets.UTF_8), file.toString());
        } catch (IOException e) {
            throw new DkvmException("can not read \"" + file + "\": " + e.getMessage(), "", e);
        }
    }

    /**
     * The object in a text.
     *
     * @param origin what the text is, for the message
     */
    public static JsonObject parseObject(String text, String origin) throws DkvmException {
        try {
            JsonElement element = JsonParser.parseReader(new StringReader(text));
            if (!element.isJsonObject()) {
                throw new DkvmException("\"" + origin + "\" is not a JSON object", "");
            }
            return element.getAsJsonObject();
        } catch (JsonParseException | StackOverflowError e) {
            throw new DkvmException("\"" + origin + "\" is not valid JSON: " + e.getMessage(), "", e);
        }
    }

    /** The text of a tree, in one line; numbers as they were read. */
    public static String write(JsonElement element) {
        StringBuilder text = new StringBuilder(FIRST_LENGTH);
        JsonText.append(text, element);
        return text.toString();
    }

    /**
     * An object of these members, in this order.
     *
     * @param namesAndValues each name, and after it its value: a string, a number, a boolean or an element
     */
    public static JsonObject objectOf(Object... namesAndValues) {
        JsonObject made = new JsonObject();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            made.add((String) namesAndValues[i], element(namesAndValues[i + 1]));
        }
        return made;
    }

    private static JsonElement element(Object value) {
        if (value instanceof JsonElement element) {
            return element;
        }
        if (value instanceof String text) {
            return new JsonPrimitive(text);
        }
        if (value instanceof Number number) {
            return new JsonPrimitive(number);
        }
        if (value instanceof Boolean truth) {
            return new JsonPrimitive(truth);
        }
        throw new IllegalArgumentException("\"" + value + "\" is no value of JSON");
    }

    /** The member as an object, where it is one. */
    public static Optional<JsonObject> object(JsonObject parent, String name) {
        return parent.get(name) instanceof JsonObject object ? Optional.of(object) : Optional.empty();
    }

    /** The member as an object, made empty and put there when it is missing or null. */
    public static JsonObject objectOrNew(JsonObject parent, String name) {
        if (parent.get(name) instanceof JsonObject object) {
            return object;
        }
        JsonObject made = new JsonObject();
        parent.add(name, made);
        return made;
    }

    /** The member's elements, none where it is missing, null or no array. */
    public static List<JsonElement> array(JsonObject parent, String name) {
        return parent.get(name) instanceof JsonArray array ? array.asList() : List.of();
    }

    /** The member's elements that are objects. */
    public static List<JsonObject> objects(JsonObject parent, String name) {
        List<JsonObject> found = new ArrayList<>();
        for (JsonElement element : array(parent, name)) {
            if (element instanceof JsonObject object) {
                found.add(object);
            }
        }
        return found;
    }

    /** The member's elements that are strings. */
    public static List<String> strings(JsonObject parent, String name) {
        List<String> found = new ArrayList<>();
        for (JsonElement element : array(parent, name)) {
            if (element instanceof JsonPrimitive primitive && primitive.isString()) {
                found.add(primitive.getAsString());
            }
        }
        return found;
    }

    /** The member as a string, where it is one. */
    public static Optional<String> string(JsonObject parent, String name) {
        return parent.get(name) instanceof JsonPrimitive primitive && primitive.isString()
                ? Optional.of(primitive.getAsString())
                : Optional.empty();
    }

    /** The member as a whole number, where it is one that fits. */
    public static Optional<Long> number(JsonObject parent, String name) {
        return parent.get(name) instanceof JsonPrimitive primitive ? number(primitive) : Optional.empty();
    }

    /** An element as a whole number, where it is one that fits. */
    public static Optional<Long> number(JsonElement element) {
        if (element instanceof JsonPrimitive primitive && primitive.isNumber()) {
            String text = primitive.getAsString();
            try {
                return Optional.of(Long.parseLong(text));
            } catch (NumberFormatException e) {
                return exactly(text);
            }
        }
        return Optional.empty();
    }

    /** The rare spellings, such as 1e6: BigDecimal takes its time to load. */
    private static Optional<Long> exactly(String text) {
        try {
            return Optional.of(new BigDecimal(text).longValueExact());
        } catch (ArithmeticException | NumberFormatException e) {
            return Optional.empty();
        }
    }

    /** The member as a string; it is an IllegalArgumentException where it is none. */
    public static String requiredString(JsonObject parent, String name) {
        return string(parent, name)
                .orElseThrow(() -> new IllegalArgumentException("\"" + name + "\" is missing or no string"));
    }

    /** The member as a whole number; it is an IllegalArgumentException where it is none that fits. */
    public static long requiredNumber(JsonObject parent, String name) {
        return number(parent, name)
                .orElseThrow(() -> new IllegalArgumentException("\"" + name + "\" is missing or no whole number"));
    }

    /** As {@link #requiredNumber}, one of 32 bits. */
    public static int requiredInt(JsonObject parent, String name) {
        long number = requiredNumber(parent, name);
        if (number != (int) number) {
            throw new IllegalArgumentException("\"" + name + "\" " + number + " does not fit");
        }
        return (int) number;
    }

    /** Whether the member is {@code true}. */
    public static boolean isTrue(JsonObject parent, String name) {
        return parent.get(name) instanceof JsonPrimitive primitive && primitive.isBoolean() && primitive.getAsBoolean();
    }

    /** An array of strings. */
    public static JsonArray arrayOf(Iterable<String> values) {
        JsonArray array = new JsonArray();
        for (String value : values) {
            array.add(value);
        }
        return array;
    }
}
