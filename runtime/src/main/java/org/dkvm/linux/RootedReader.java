// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.nio.file.Path;

/** Looks at, and reads, what is below directories whose names and links are somebody else's. */
public interface RootedReader {
    /**
     * What is at a path.
     *
     * @param mode st_mode, see inode(7)
     * @param link a link's text; empty for all else
     */
    record Look(int mode, int uid, int gid, String link) {
        /** There is no such thing. */
        public static final Look MISSING = new Look(0, 0, 0, "");

        /** Whether there is one can not be told. */
        public static final Look UNKNOWN = new Look(-1, 0, 0, "");

        boolean isMissing() {
            return mode == 0;
        }

        boolean isUnknown() {
            return mode == -1;
        }

        boolean isA(int type) {
            return (mode & HostFiles.TYPE_MASK) == type;
        }
    }

    /**
     * The first bytes of a regular file; none of anything else, or of one that can not be read.
     *
     * @param root the directory, which no link leads out of, or the file itself
     * @param path the file's path from there; empty where the root is the file
     * @param most how many bytes
     */
    byte[] head(Path root, String path, int most);

    /**
     * What is there, a link itself where it is one.
     *
     * @param root the directory, which no link leads out of, or the thing itself, whose own links are followed
     * @param path the path from there; empty for the root
     */
    Look look(Path root, String path);

    /** Whether there is a directory without entries, and nothing else; as {@link #look}. */
    boolean isEmpty(Path root, String path);
}
