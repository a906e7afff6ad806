// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.util.List;

/** Finds a program as runc does before it starts it: Go's exec.LookPath, in a tree that is not our own root. */
public final class ExecutableLookup {
    /** How a lookup ended. */
    public enum Outcome {
        FOUND,
        /** The guest alone can tell. */
        UNKNOWN,
        /** No directory of PATH has it. */
        NOT_IN_PATH,
        /** A relative directory of PATH has it, which Go refuses. */
        RELATIVE,
        NO_SUCH_FILE,
        NOT_A_DIRECTORY,
        TOO_MANY_LINKS,
        PERMISSION_DENIED,
        /** A directory on the way is not for the user. */
        WAY_BARRED,
        /** The file is there, and executable for somebody else. */
        EXECUTION_BARRED
    }

    /**
     * What a lookup found.
     *
     * @param name the program as it would be executed: as it was given, or a directory of PATH with it
     * @param file where it is in the tree, without links; empty where it was not found
     */
    public record Result(Outcome outcome, String name, String file) {}

    /** What is at a path. */
    private record Spot(Outcome outcome, String file) {
        Spot(Outcome outcome) {
            this(outcome, "");
        }
    }

    private final RootedTree tree;
    private final FileUser user;
    private final boolean running;

    /**
     * @param user for whom it must be executable
     * @param running whether the container runs: what a program's own path lacks in an empty directory may then be mounted there
     */
    public ExecutableLookup(RootedTree tree, FileUser user, boolean running) {
        this.tree = tree;
        this.user = user;
        this.running = running;
    }

    /** Looks a program up for a process with that environment and working directory. */
    public Result find(String program, List<String> env, String cwd) {
        if (program.indexOf('/') >= 0) {
            Spot spot = at(absolute(program, cwd), running);
            return new Result(spot.outcome, program, spot.file);
        }
        String path = value(env, "PATH");
        int start = 0;
        boolean unknown = false;
        while (!path.isEmpty() && start <= path.length()) {
            int colon = path.indexOf(':', start);
            int end = colon < 0 ? path.length() : colon;
            String directory = path.substring(start, end);
            start = end + 1;
            String name = (directory.isEmpty() ? "." : directory) + "/" + program;
            Spot spot = program.isEmpty() ? new Spot(Outcome.NO_SUCH_FILE) : at(absolute(name, cwd), false);
            if (spot.outcome == Outcome.UNKNOWN) {
                unknown = true;
            } else if (spot.outcome == Outcome.FOUND || spot.outcome == Outcome.EXECUTION_BARRED) {
                boolean taken = unknown || directory.startsWith("/");
                return new Result(taken ? spot.outcome : Outcome.RELATIVE, name, spot.file);
            }
        }
        return new Result(unknown ? Outcome.UNKNOWN : Outcome.NOT_IN_PATH, program, "");
    }

    /** An empty directory may have something mounted on it in a guest that runs; a directory of PATH is taken for what it is. */
    private Spot at(String path, boolean mountable) {
        RootedTree.Found found = tree.find(path);
        return switch (found.kind()) {
            case FILE, OTHER -> isDirectoryName(path) ? new Spot(Outcome.NOT_A_DIRECTORY) : of(found);
            case DIRECTORY ->
                new Spot(tree.barsTheWay(found.path(), user) ? Outcome.WAY_BARRED : Outcome.PERMISSION_DENIED);
            case MISSING -> new Spot(Outcome.NO_SUCH_FILE);
            case MISSING_IN_EMPTY -> new Spot(mountable ? Outcome.UNKNOWN : Outcome.NO_SUCH_FILE);
            case NOT_A_DIRECTORY -> new Spot(Outcome.NOT_A_DIRECTORY);
            case TOO_MANY_LINKS -> new Spot(Outcome.TOO_MANY_LINKS);
            case HIDDEN -> new Spot(Outcome.UNKNOWN);
        };
    }

    /** Nothing but a directory can be meant. */
    private static boolean isDirectoryName(String path) {
        return path.endsWith("/") || path.endsWith("/.");
    }

    /** Go asks for any execute bit; runc then asks the kernel for the user's. */
    private Spot of(RootedTree.Found found) {
        if (tree.barsTheWay(found.path(), user)) {
            return new Spot(Outcome.WAY_BARRED);
        }
        if (!found.executable()) {
            return new Spot(Outcome.PERMISSION_DENIED);
        }
        boolean barred = tree.barsExecution(found.path(), user);
        return new Spot(barred ? Outcome.EXECUTION_BARRED : Outcome.FOUND, found.path());
    }

    private static String absolute(String path, String cwd) {
        return path.startsWith("/") ? path : cwd + "/" + path;
    }

    /** The last value an environment gives a name, as the kernel's users see it; empty when it has none. */
    public static String value(List<String> env, String name) {
        String value = "";
        for (String entry : env) {
            if (entry.length() > name.length() && entry.startsWith(name) && entry.charAt(name.length()) == '=') {
                value = entry.substring(name.length() + 1);
            }
        }
        return value;
    }
}
