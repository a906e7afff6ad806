// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.dkvm.linux.RootedTree;

/**
 * The distribution that an image says it is. See os-release(5).
 *
 * @param names its own name, and then those of the distributions it is like, the closest first; none when the image does not say
 */
public record Distribution(List<String> names) {
    private static final List<String> PLACES = List.of("/etc/os-release", "/usr/lib/os-release");

    /** Real ones have some hundred bytes. */
    private static final int MOST_BYTES = 64 * 1024;

    public Distribution {
        names = List.copyOf(names);
    }

    /** Reads what the image says; one that can not be read says nothing: what is wrong with it, runc will tell. */
    static Distribution of(RootedTree tree) {
        for (String place : PLACES) {
            RootedTree.Found found = tree.find(place);
            if (found.kind() == RootedTree.Kind.FILE) {
                return parse(new String(tree.head(found, MOST_BYTES), StandardCharsets.UTF_8));
            }
        }
        return new Distribution(List.of());
    }

    static Distribution parse(String osRelease) {
        List<String> own = new ArrayList<>();
        List<String> like = new ArrayList<>();
        for (String line : osRelease.split("\n", -1)) {
            int equals = line.indexOf('=');
            switch (equals < 0 ? "" : line.substring(0, equals).strip()) {
                case "ID" -> own = words(line.substring(equals + 1));
                case "ID_LIKE" -> like = words(line.substring(equals + 1));
                default -> {}
            }
        }
        List<String> names = new ArrayList<>(own);
        names.addAll(like);
        return new Distribution(names);
    }

    private static List<String> words(String value) {
        String text = value.strip();
        if (text.length() >= 2 && (text.charAt(0) == '"' || text.charAt(0) == '\'')) {
            text = text.substring(1, text.length() - 1);
        }
        List<String> words = new ArrayList<>();
        Collections.addAll(words, text.strip().split("\\s+", -1));
        words.removeIf(String::isEmpty);
        return words;
    }
}
