// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.dkvm.core.DkvmException;

/** The command line of runc and crun, as far as create, run and exec need it. See runc(8). */
final class RuncArguments {
    /** An option as it stood; a flag's value is empty. */
    private record Option(String name, String value, Words words) {}

    /** Where something stands on the command line: the numbers of its first and last word, from 1; nothing is at 0. */
    record Words(int first, int last) {
        static final Words NONE = new Words(0, 0);
    }

    /** Options without a value. */
    private static final Set<String> FLAGS = Set.of(
            "debug",
            "systemd-cgroup",
            "help",
            "h",
            "version",
            "v",
            "no-pivot",
            "no-new-keyring",
            "detach",
            "d",
            "keep",
            "no-subreaper",
            "tty",
            "t",
            "no-new-privs",
            "ignore-paused");

    /** Options with one: those of the commands that DKVM rewrites, in any version of runc and crun. */
    private static final Set<String> VALUED = Set.of(
            "root",
            "log",
            "log-format",
            "log-level",
            "criu",
            "rootless",
            "cgroup-manager",
            "bundle",
            "b",
            "config",
            "f",
            "console-socket",
            "pid-file",
            "preserve-fds",
            "process",
            "p",
            "process-label",
            "apparmor",
            "cwd",
            "env",
            "e",
            "user",
            "u",
            "additional-gids",
            "g",
            "cap",
            "c",
            "cgroup");

    /** The command whose options are numbers for the most part, and come with new versions of runc. */
    private static final String UPDATE = "update";

    private final List<Option> options = new ArrayList<>();
    private final List<String> operands = new ArrayList<>();
    private String command = "";
    private Optional<DkvmException> problem = Optional.empty();

    private RuncArguments() {}

    /** Reads a command line, as far as it can be read: see {@link #check}. */
    static RuncArguments parse(List<String> args) {
        RuncArguments parsed = new RuncArguments();
        try {
            parsed.take(args);
        } catch (DkvmException e) {
            parsed.problem = Optional.of(e);
        }
        return parsed;
    }

    /** Refuses an option that neither runtime has: nobody can tell whether the next word is its value. */
    void check() throws DkvmException {
        if (problem.isPresent()) {
            throw problem.get();
        }
    }

    private void take(List<String> args) throws DkvmException {
        int next = takeOptions(args, 0);
        if (next < args.size()) {
            command = args.get(next);
            next = takeOptions(args, next + 1);
        }
        while (next < args.size()) {
            operands.add(args.get(next++));
            if (!"exec".equals(command)) {
                // After exec's container comes a program with options of its own.
                next = takeOptions(args, next);
            }
        }
    }

    private int takeOptions(List<String> args, int start) throws DkvmException {
        int next = start;
        while (next < args.size()) {
            String arg = args.get(next);
            if (arg.length() < 2 || arg.charAt(0) != '-') {
                return next;
            }
            next++;
            if ("--".equals(arg)) {
                return next;
            }
            String name = arg.substring(arg.startsWith("--") ? 2 : 1);
            int equals = name.indexOf('=');
            if (equals >= 0) {
                // runc itself names one that it does not know.
                options.add(new Option(name.substring(0, equals), name.substring(equals + 1), new Words(next, next)));
            } else if (FLAGS.contains(name)) {
                options.add(new Option(name, "", new Words(next, next)));
            } else if (next == args.size()) {
                throw new DkvmException("flag needs an argument: " + arg, "");
            } else if (VALUED.contains(name) || UPDATE.equals(command)) {
                options.add(new Option(name, args.get(next), new Words(next, next + 1)));
                next++;
            } else {
                throw new DkvmException(
                        "flag \"" + arg + "\" is not known",
                        "an option that runc has and DKVM does not know can be given as " + arg + "=VALUE");
            }
        }
        return next;
    }

    /** The subcommand; empty when there is none. */
    String command() {
        return command;
    }

    /** What follows the options: the container's id first. */
    List<String> operands() {
        return operands;
    }

    /** The last value given to an option under any of its names. */
    Optional<String> value(String... names) {
        List<String> all = values(names);
        return all.isEmpty() ? Optional.empty() : Optional.of(all.getLast());
    }

    /** The words of the last option of any of these names. */
    Words words(String... names) {
        Words words = Words.NONE;
        for (Option option : options) {
            if (List.of(names).contains(option.name)) {
                words = option.words;
            }
        }
        return words;
    }

    /** All values given to an option under any of its names. */
    List<String> values(String... names) {
        List<String> values = new ArrayList<>();
        for (Option option : options) {
            for (String name : names) {
                if (option.name.equals(name)) {
                    values.add(option.value);
                }
            }
        }
        return values;
    }

    /** Whether a flag is set. */
    boolean has(String... names) {
        Optional<String> value = value(names);
        return value.isPresent() && !"false".equals(value.get());
    }
}
