// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** Completions for fish, which picocli does not make. See complete(1) of fish. */
final class FishCompletion {
    private final StringBuilder text = new StringBuilder();
    private final String name;

    private FishCompletion(String name) {
        this.name = name;
    }

    static String script(CommandLine command) {
        FishCompletion completion = new FishCompletion(command.getCommandName());
        // Files are words of few commands: those say so.
        completion.line("-f");
        completion.add(command, List.of());
        return completion.text.toString();
    }

    /** What may follow these words, and the same for every command that may. */
    private void add(CommandLine command, List<String> words) {
        CommandSpec spec = command.getCommandSpec();
        Map<String, CommandLine> children = new LinkedHashMap<>(command.getSubcommands());
        children.values()
                .removeIf(child -> child.getCommandSpec().usageMessage().hidden());
        for (OptionSpec option : spec.options()) {
            if (!option.hidden()) {
                addOption(option, after(words, List.of()));
            }
        }
        for (PositionalParamSpec parameter : spec.positionalParameters()) {
            if (parameter.completionCandidates() != null) {
                for (String candidate : parameter.completionCandidates()) {
                    line(after(words, List.of()) + " -a " + quoted(candidate));
                }
            }
        }
        for (Map.Entry<String, CommandLine> child : children.entrySet()) {
            String word = child.getKey();
            CommandSpec its = child.getValue().getCommandSpec();
            line(after(words, children.keySet()) + " -a " + quoted(word)
                    + describedBy(its.usageMessage().description()));
            List<String> longer = new ArrayList<>(words);
            longer.add(word);
            add(child.getValue(), longer);
        }
    }

    private void addOption(OptionSpec option, String condition) {
        StringBuilder names = new StringBuilder();
        for (String spelling : option.names()) {
            names.append(spelling.startsWith("--") ? " -l " + spelling.substring(2) : " -s " + spelling.substring(1));
        }
        String value = option.arity().max() == 0 ? "" : Path.class == option.auxiliaryTypes()[0] ? " -r -F" : " -x";
        line(condition + names + value + describedBy(option.description()));
    }

    /** The words are there, in any place, and none of the others is. */
    private static String after(List<String> words, Collection<String> others) {
        StringBuilder condition = new StringBuilder();
        for (String word : words) {
            condition
                    .append(condition.isEmpty() ? "" : "; and ")
                    .append("__fish_seen_subcommand_from ")
                    .append(word);
        }
        if (!others.isEmpty()) {
            condition
                    .append(condition.isEmpty() ? "not " : "; and not ")
                    .append("__fish_seen_subcommand_from ")
                    .append(String.join(" ", others));
        }
        return condition.isEmpty() ? "" : "-n " + quoted(condition.toString());
    }

    /** A description's first sentence. */
    private static String describedBy(String[] lines) {
        if (lines.length == 0) {
            return "";
        }
        int end = lines[0].indexOf(". ");
        String first = end < 0 ? lines[0] : lines[0].substring(0, end);
        return " -d " + quoted(first.endsWith(".") ? first.substring(0, first.length() - 1) : first);
    }

    private static String quoted(String word) {
        return "'" + word.replace("\\", "\\\\").replace("'", "\\'") + "'";
    }

    private void line(String words) {
        text.append("complete -c ")
                .append(name)
                .append(words.isEmpty() || words.startsWith(" ") ? words : " " + words)
                .append('\n');
    }
}
