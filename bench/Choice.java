// SPDX-License-Identifier: Apache-2.0
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a run of the bench is to do, as its command line says it.
 *
 * @param runs how often each start is measured
 * @param parts what is measured
 * @param json where the figures are written; empty: nowhere
 * @param pictures the directory of the timelines' pictures; empty: none are drawn
 * @param check whether nothing is measured: the command line was all that was to be looked at
 */
record Choice(int runs, Set<Part> parts, Path json, Path pictures, boolean check) {
    static final String USAGE =
            """
            usage: java bench/Bench.java [--check] [--runs N] [--only PART,…] [--json FILE] [--pictures DIRECTORY]
            parts: %s"""
                    .formatted(Part.names());

    private static final int RUNS = 5;
    private static final int MOST_RUNS = 1000;

    /** A part of the bench; the names are those of docs/performance.md. */
    enum Part {
        RUN,
        BOARDS,
        HOST,
        EXEC,
        EXECUTIONS,
        MEMORY,
        NETWORK,
        FILES,
        TIMELINE,
        PODS;

        String label() {
            return name().toLowerCase(Locale.ROOT);
        }

        static String names() {
            return Stream.of(values()).map(Part::label).collect(Collectors.joining(", "));
        }
    }

    /** A command line that says something else. */
    static final class Wrong extends Exception {
        private static final long serialVersionUID = 1;

        Wrong(String message) {
            super(message);
        }
    }

    /** Reads a command line; what is not said is all parts, five times, written nowhere. */
    static Choice of(List<String> arguments) throws Wrong {
        int runs = RUNS;
        Set<Part> parts = EnumSet.allOf(Part.class);
        Path json = Path.of("");
        Path pictures = Path.of("");
        boolean check = false;
        Iterator<String> words = arguments.iterator();
        while (words.hasNext()) {
            String option = words.next();
            switch (option) {
                case "--check" -> check = true;
                case "--runs" -> runs = runs(value(option, words));
                case "--only" -> parts = parts(value(option, words));
                case "--json" -> json = file(value(option, words));
                case "--pictures" -> pictures = directory(value(option, words));
                default -> throw new Wrong("unknown option \"" + option + "\"");
            }
        }
        return new Choice(runs, parts, json, pictures, check);
    }

    private static String value(String option, Iterator<String> words) throws Wrong {
        if (!words.hasNext()) {
            throw new Wrong("\"" + option + "\" needs a value");
        }
        return words.next();
    }

    private static int runs(String text) throws Wrong {
        if (text.matches("[0-9]{1,4}")) {
            int runs = Integer.parseInt(text);
            if (runs >= 1 && runs <= MOST_RUNS) {
                return runs;
            }
        }
        throw new Wrong("\"--runs " + text + "\" is no number from 1 to " + MOST_RUNS);
    }

    private static Set<Part> parts(String text) throws Wrong {
        Set<Part> parts = EnumSet.noneOf(Part.class);
        for (String name : text.split(",", -1)) {
            parts.add(Stream.of(Part.values())
                    .filter(part -> part.label().equals(name))
                    .findAny()
                    .orElseThrow(() -> new Wrong("\"--only " + text + "\": there is no part \"" + name + "\"")));
        }
        return parts;
    }

    /** Found out before anything is measured. */
    private static Path file(String text) throws Wrong {
        Path file = Path.of(text);
        if (text.isEmpty() || Files.isDirectory(file) || !Files.isDirectory(file.toAbsolutePath().getParent())) {
            throw new Wrong("\"--json " + text + "\" is no file in a directory that exists");
        }
        return file;
    }

    private static Path directory(String text) throws Wrong {
        if (text.isEmpty() || !Files.isDirectory(Path.of(text))) {
            throw new Wrong("\"--pictures " + text + "\" is no directory that exists");
        }
        return Path.of(text);
    }
}
