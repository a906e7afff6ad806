// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A block of a page that shows commands and what they print, as on a terminal: {@code $ } begins a command, the lines after it are its
 * output. Before the block a comment may stand, which the reader does not see: {@code <!-- varies: REGEX -->} says what of the output is
 * another text on another machine, {@code <!-- not run: WHY -->} that no test runs it.
 *
 * @param line where it begins, from 1
 * @param commands in order
 * @param varies what of the output varies
 * @param run whether a test runs it
 */
record ConsoleBlock(int line, List<Command> commands, Pattern varies, boolean run) {
    private static final Pattern MARK = Pattern.compile("<!-- (varies|not run): (.+) -->");
    private static final Pattern NOTHING = Pattern.compile("(?!)");
    private static final String PROMPT = "$ ";

    /**
     * A command line and its output.
     *
     * @param text as it is typed
     * @param output its lines, each with a newline
     */
    record Command(String text, String output) {}

    /** All of a page, in order. */
    static List<ConsoleBlock> of(List<String> page) {
        List<ConsoleBlock> blocks = new ArrayList<>();
        Pattern varies = NOTHING;
        boolean run = true;
        for (int i = 0; i < page.size(); i++) {
            Matcher mark = MARK.matcher(page.get(i));
            if (mark.matches()) {
                run = mark.group(1).equals("varies");
                varies = run ? Pattern.compile(mark.group(2)) : NOTHING;
            } else if (page.get(i).equals("```console")) {
                int end = i + 1;
                while (!page.get(end).equals("```")) {
                    end++;
                }
                blocks.add(new ConsoleBlock(i + 1, commands(page.subList(i + 1, end)), varies, run));
                varies = NOTHING;
                run = true;
                i = end;
            }
        }
        return blocks;
    }

    private static List<Command> commands(List<String> lines) {
        List<Command> commands = new ArrayList<>();
        for (String line : lines) {
            if (line.startsWith(PROMPT)) {
                commands.add(new Command(line.substring(PROMPT.length()), ""));
            } else {
                Command last = commands.removeLast();
                commands.add(new Command(last.text(), last.output() + line + "\n"));
            }
        }
        return commands;
    }

    /** A script of bash that runs the commands in one shell and prints a line of this text after each one's output. */
    String script(String divider) {
        StringBuilder script = new StringBuilder("exec 2>&1\n");
        for (Command command : commands) {
            // The next command may ask for the exit code of this one.
            script.append(command.text()).append('\n');
            script.append("shown=$?; echo '" + divider + "'; (exit $shown)\n");
        }
        return script.append("exit 0\n").toString();
    }

    /** What a group of this expression takes out of the commands. */
    List<String> mentioned(Pattern pattern) {
        List<String> found = new ArrayList<>();
        for (Command command : commands) {
            Matcher matcher = pattern.matcher(command.text());
            while (matcher.find()) {
                found.add(matcher.group(1));
            }
        }
        return found;
    }
}
