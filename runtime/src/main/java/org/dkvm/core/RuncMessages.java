// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core;

/**
 * The texts of runc's errors that engines and their users know: Docker turns them into exit codes 125, 126 and 127 by what they contain.
 * As runc 1.1.5 prints them; newer ones differ in nothing that is matched.
 */
public final class RuncMessages {
    private static final String CREATE = "runc create failed: ";
    private static final String RUN = "runc run failed: ";
    private static final String EXEC = "exec failed: ";
    private static final String START = "unable to start container process: ";

    /** What runc was told to do when it failed; each has a prefix of its own. */
    public enum Action {
        CREATE,
        RUN,
        EXEC
    }

    private RuncMessages() {}

    /** A program without a slash that no directory of PATH has. */
    public static String notFoundInPath(Action action, String program) {
        return start(action) + quoted(program) + ": executable file not found in $PATH";
    }

    /** A program that PATH names by a relative directory. */
    public static String relativeToDirectory(Action action, String program) {
        return start(action) + quoted(program) + ": cannot run executable found relative to current directory";
    }

    /** A path that is not there. */
    public static String noSuchFile(Action action, String program) {
        return start(action) + quoted(program) + ": stat " + program + ": no such file or directory";
    }

    /** A path through something that is no directory. */
    public static String notADirectory(Action action, String program) {
        return start(action) + quoted(program) + ": stat " + program + ": not a directory";
    }

    /** A path through a loop of symbolic links. */
    public static String tooManyLinks(Action action, String program) {
        return start(action) + quoted(program) + ": stat " + program + ": too many levels of symbolic links";
    }

    /** A directory, or a file without an execute bit. */
    public static String permissionDenied(Action action, String program) {
        return start(action) + quoted(program) + ": permission denied";
    }

    /** A file that others may execute. */
    public static String executionBarred(Action action, String name) {
        return failed(action) + "exec " + name + ": permission denied";
    }

    /** A path through a directory that is not for the user. */
    public static String wayBarred(Action action, String program) {
        return start(action) + quoted(program) + ": stat " + program + ": permission denied";
    }

    /** A working directory that is not there. */
    public static String noSuchWorkingDirectory(Action action, String cwd) {
        return failed(action) + "chdir to cwd (" + quoted(cwd)
                + ") set in config.json failed: no such file or directory";
    }

    private static String start(Action action) {
        return failed(action) + "exec: ";
    }

    private static String failed(Action action) {
        return switch (action) {
                    case CREATE -> CREATE;
                    case RUN -> RUN;
                    case EXEC -> EXEC;
                }
                + START;
    }

    /** As Go's strconv.Quote does for the characters that matter here. */
    private static String quoted(String text) {
        StringBuilder quoted = new StringBuilder(text.length() + 2).append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"', '\\' -> quoted.append('\\').append(c);
                case '\n' -> quoted.append("\\n");
                case '\t' -> quoted.append("\\t");
                case '\r' -> quoted.append("\\r");
                default -> quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }
}
