// SPDX-License-Identifier: Apache-2.0
package org.dkvm.install;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;
import java.util.List;
import org.dkvm.core.DkvmException;
import org.dkvm.json.Json;
import org.dkvm.json.JsonEdit;
import org.dkvm.json.PrettyJson;

/**
 * The text of Docker's daemon.json, with a runtime entered or taken out.
 *
 * <p>All else stays byte by byte. Where that would not give what is meant (a name that is there twice, say), all else keeps its names, values and order, one member a line. See
 * dockerd(8).
 */
public final class DaemonConfig {
    private static final String RUNTIMES = "runtimes";
    private static final String DEFAULT_RUNTIME = "default-runtime";
    private static final String PATH = "path";

    private DaemonConfig() {}

    /**
     * The text with {@code runtimes.<name>.path} set.
     *
     * @param text the file's text, empty when there is none
     * @param name the runtime's name for Docker
     * @param path the program Docker is to call
     * @throws DkvmException when the text is not what dockerd would accept: then better nothing is changed
     */
    public static String register(String text, String name, String path) throws DkvmException {
        JsonObject root = parse(text);
        JsonObject runtimes = member(root, RUNTIMES);
        JsonObject runtime = member(runtimes, name);
        if (runtime.get(PATH) instanceof JsonPrimitive present && present.equals(new JsonPrimitive(path))) {
            return text;
        }
        runtime.addProperty(PATH, path);
        runtimes.add(name, runtime);
        root.add(RUNTIMES, runtimes);
        if (text.isBlank()) {
            return PrettyJson.write(root, text);
        }
        return checked(
                JsonEdit.set(text, List.of(RUNTIMES, name, PATH), Json.write(new JsonPrimitive(path))), root, text);
    }

    /** The edited text if it says what it is to say, else that written anew. */
    private static String checked(String edited, JsonObject meant, String before) throws DkvmException {
        return parse(edited).equals(meant) ? edited : PrettyJson.write(meant, before);
    }

    /**
     * The text without the runtime, empty when nothing else is left in it.
     *
     * <p>Where it was the default runtime, Docker's own becomes the default again: with a default that does not exist dockerd would not start.
     */
    public static String unregister(String text, String name) throws DkvmException {
        JsonObject root = parse(text);
        JsonObject runtimes = member(root, RUNTIMES);
        boolean known = runtimes.remove(name) != null;
        String edited = text;
        if (known && runtimes.isEmpty()) {
            root.remove(RUNTIMES);
            edited = JsonEdit.remove(edited, List.of(RUNTIMES));
        } else if (known) {
            edited = JsonEdit.remove(edited, List.of(RUNTIMES, name));
        }
        boolean standard = new JsonPrimitive(name).equals(root.get(DEFAULT_RUNTIME));
        if (standard) {
            root.remove(DEFAULT_RUNTIME);
            edited = JsonEdit.remove(edited, List.of(DEFAULT_RUNTIME));
        }
        if (!known && !standard) {
            return text;
        }
        return root.isEmpty() ? "" : checked(edited, root, text);
    }

    private static JsonObject parse(String text) throws DkvmException {
        if (text.isBlank()) {
            return new JsonObject();
        }
        JsonReader reader = new JsonReader(new StringReader(text));
        // As strict as dockerd itself: no comments, no trailing commas.
        reader.setStrictness(Strictness.STRICT);
        try {
            JsonElement root = JsonParser.parseReader(reader);
            if (reader.peek() != JsonToken.END_DOCUMENT) {
                throw new DkvmException("there is more after the end of the JSON object", "");
            }
            if (!(root instanceof JsonObject object)) {
                throw new DkvmException("it is not a JSON object", "");
            }
            return object;
        } catch (JsonParseException | IOException | StackOverflowError e) {
            throw new DkvmException("it is not valid JSON: " + e.getMessage(), "", e);
        }
    }

    /** The member as an object: a new one when it is missing. */
    private static JsonObject member(JsonObject parent, String name) throws DkvmException {
        JsonElement member = parent.get(name);
        if (member == null) {
            return new JsonObject();
        }
        if (member instanceof JsonObject object) {
            return object;
        }
        throw new DkvmException("its \"" + name + "\" is not an object", "");
    }
}
