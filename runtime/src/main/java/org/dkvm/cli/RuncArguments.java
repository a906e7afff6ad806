// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The command line of runc and crun, as far as create, run and exec need it. See runc(8). */
final class RuncArguments {
    /** An option as it stood; a flag's value is empty. */
    private record Option(String name, String value) {}

    /** Options without a value; every other one takes one. */
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

    private final List<Option> options = new ArrayList<>();
    private final List<String> operands = new ArrayList<>();
    private String command = "";

    private RuncArguments() {}

    static RuncArguments parse(List<String> args) {
        RuncArguments parsed = new RuncArguments();
        int next = parsed.takeOptions(args, 0);
        if (next < args.size()) {
            parsed.command = args.get(next);
            next = parsed.takeOptions(args, next + 1);
        }
        while (next < args.size()) {
            parsed.operands.add(args.get(next++));
            if (!"exec".equals(parsed.command)) {
                // After exec's container comes a program with options of its own.
                next = parsed.takeOptions(args, next);
            }
        }
        return parsed;
    }

    private int takeOptions(List<String> args, int start) {
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
                options.add(new Option(name.substring(0, equals), name.substring(equals + 1)));
            } else if (FLAGS.contains(name) || next == args.size()) {
                options.add(new Option(name, ""));
            } else {
                options.add(new Option(name, args.get(next++)));
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
