// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Reads files below directories that somebody may be changing, by a program of ours: a link is never followed out of the directory, and nothing but a regular file is opened.
 * Java opens by path only. See openat2(2), RESOLVE_IN_ROOT.
 */
public final class RootedFiles {
    private static final byte[] NONE = {};

    private final String program;

    /** Where {@code dkvm-rooted} is. */
    public RootedFiles(String program) {
        this.program = program;
    }

    /** The command that prints the beginning of a file. */
    public List<String> command(Path root, String path, int most) {
        return List.of(program, "head", root.toString(), path, Integer.toString(most));
    }

    /** The first bytes of a regular file below a directory; none of anything else, or of one that can not be read. */
    public byte[] head(Path root, String path, int most) {
        try {
            return Program.output(command(root, path, most), most);
        } catch (IOException e) {
            return NONE;
        }
    }
}
