// SPDX-License-Identifier: Apache-2.0
package org.dkvm.json;

import com.google.gson.JsonParser;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Changes one member of an object in JSON text and leaves every other byte as it is. The text has to be valid JSON already: a parser is to have said so. See RFC 8259.
 */
public final class JsonEdit {
    private static final String USUAL_INDENT = "  ";

    private final String text;
    private int at;

    private JsonEdit(String text) {
        this.text = text;
    }

    /** Where a member stands: from its name to the end of its value. */
    private record Member(String name, int start, int value, int end) {}

    /** Where an object stands, with its braces. */
    private record Place(int start, int end, List<Member> members) {
        /** Of several with the name the last, which is the one that parsers take. */
        Optional<Member> member(String name) {
            for (Member member : members.reversed()) {
                if (member.name.equals(name)) {
                    return Optional.of(member);
                }
            }
            return Optional.empty();
        }
    }

    /**
     * The text with a member's value set.
     *
     * @param path the names of the objects on the way and of the member; what is missing on the way is made
     * @param value the value, as JSON
     */
    public static String set(String text, List<String> path, String value) {
        Place object = new JsonEdit(text).root();
        for (int depth = 0; depth < path.size(); depth++) {
            Optional<Member> member = object.member(path.get(depth));
            if (member.isEmpty()) {
                return insert(text, object, depth, path, value);
            }
            if (depth == path.size() - 1) {
                return text.substring(0, member.get().value) + value + text.substring(member.get().end);
            }
            object = new JsonEdit(text).objectAt(member.get().value);
        }
        return text;
    }

    /** The text without a member, which has to be there. */
    public static String remove(String text, List<String> path) {
        Place object = new JsonEdit(text).root();
        for (String name : path.subList(0, path.size() - 1)) {
            object = new JsonEdit(text).objectAt(object.member(name).orElseThrow().value);
        }
        Member member = object.member(path.getLast()).orElseThrow();
        int index = object.members.indexOf(member);
        if (object.members.size() == 1) {
            return text.substring(0, object.start + 1) + text.substring(object.end - 1);
        }
        // With the comma that goes with it: the one before, or for the first the one after.
        int from = index > 0 ? object.members.get(index - 1).end : member.start;
        int to = index > 0 ? member.end : object.members.get(1).start;
        return text.substring(0, from) + text.substring(to);
    }

    private static String insert(String text, Place object, int depth, List<String> path, String value) {
        boolean lines = object.members.isEmpty()
                ? depth == 0 || text.strip().indexOf('\n') >= 0
                : text.substring(object.start, object.end).indexOf('\n') >= 0;
        String unit = indent(text);
        StringBuilder member = new StringBuilder();
        for (int i = depth; i < path.size(); i++) {
            member.append(i == depth ? "" : "{" + line(lines, unit, i + 1));
            JsonText.appendString(member, path.get(i));
            member.append(": ");
        }
        member.append(value);
        for (int i = path.size() - 1; i > depth; i--) {
            member.append(line(lines, unit, i)).append('}');
        }
        String inner = line(lines, unit, depth + 1);
        if (object.members.isEmpty()) {
            return text.substring(0, object.start + 1)
                    + inner
                    + member
                    + line(lines, unit, depth)
                    + text.substring(object.end - 1);
        }
        int end = object.members.getLast().end;
        return text.substring(0, end) + (lines ? "," + inner : ", ") + member + text.substring(end);
    }

    private static String line(boolean lines, String unit, int depth) {
        return lines ? "\n" + unit.repeat(depth) : "";
    }

    /** What the first member of the root that begins a line is indented by. */
    private static String indent(String text) {
        Place root = new JsonEdit(text).root();
        int end = root.start + 1;
        for (Member member : root.members) {
            String before = text.substring(end, member.start);
            int newline = before.lastIndexOf('\n');
            if (newline >= 0 && newline < before.length() - 1) {
                return before.substring(newline + 1);
            }
            end = member.end;
        }
        return USUAL_INDENT;
    }

    private Place root() {
        skipSpace();
        return objectAt(at);
    }

    private Place objectAt(int start) {
        List<Member> members = new ArrayList<>();
        at = start + 1;
        skipSpace();
        while (text.charAt(at) != '}') {
            int name = at;
            skipValue();
            String read = JsonParser.parseString(text.substring(name, at)).getAsString();
            skipSpace();
            at++; // the colon
            skipSpace();
            int value = at;
            skipValue();
            members.add(new Member(read, name, value, at));
            skipSpace();
            if (text.charAt(at) == ',') {
                at++;
                skipSpace();
            }
        }
        return new Place(start, at + 1, members);
    }

    private void skipSpace() {
        while (at < text.length() && " \t\r\n\uFEFF".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private void skipValue() {
        int depth = 0;
        do {
            char c = text.charAt(at);
            if (c == '"') {
                skipString();
            } else if (c == '{' || c == '[') {
                depth++;
                at++;
            } else if (c == '}' || c == ']') {
                depth--;
                at++;
            } else if (depth > 0 && (c == ',' || c == ':')) {
                at++;
            } else {
                skipLiteral();
            }
            if (depth > 0) {
                skipSpace();
            }
        } while (depth > 0);
    }

    private void skipString() {
        at++;
        while (text.charAt(at) != '"') {
            at += text.charAt(at) == '\\' ? 2 : 1;
        }
        at++;
    }

    /** A number, true, false or null. */
    private void skipLiteral() {
        while (at < text.length() && " \t\r\n,:]}".indexOf(text.charAt(at)) < 0) {
            at++;
        }
    }
}
