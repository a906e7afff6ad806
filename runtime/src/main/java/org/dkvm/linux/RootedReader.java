// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.nio.file.Path;

/** Reads files below directories whose names and links are somebody else's. */
@FunctionalInterface
public interface RootedReader {
    /** Reads nothing. */
    RootedReader NONE = (root, path, most) -> new byte[0];

    /**
     * The first bytes of a regular file; none of anything else, or of one that can not be read.
     *
     * @param root the directory, which no link leads out of, or the file itself
     * @param path the file's path from there; empty where the root is the file
     * @param most how many bytes
     */
    byte[] head(Path root, String path, int most);
}
