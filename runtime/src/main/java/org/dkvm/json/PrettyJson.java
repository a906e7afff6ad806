// SPDX-License-Identifier: Apache-2.0
package org.dkvm.json;

import com.google.gson.FormattingStyle;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Writes JSON for people: one member a line. Takes its time, so it is not for an engine's way. */
public final class PrettyJson {
    private static final Pattern FIRST_INDENT = Pattern.compile("\\{\\R([ \t]+)\"");
    private static final String USUAL_INDENT = "  ";

    private PrettyJson() {}

    /** The text of a tree, indented as an older text was; numbers as they were read. */
    public static String write(JsonObject root, String like) {
        Matcher indent = FIRST_INDENT.matcher(like);
        Gson gson = new GsonBuilder()
                .disableHtmlEscaping()
                .serializeNulls()
                .setFormattingStyle(FormattingStyle.PRETTY.withIndent(indent.find() ? indent.group(1) : USUAL_INDENT))
                .create();
        return gson.toJson(root) + "\n";
    }
}
