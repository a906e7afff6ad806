// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** Facts about files that Java has no typed names for. */
public final class HostFiles {
    /** File type bits of st_mode; see inode(7). */
    public static final int TYPE_MASK = 0170000;

    public static final int TYPE_SOCKET = 0140000;
    public static final int TYPE_FILE = 0100000;
    public static final int TYPE_BLOCK_DEVICE = 0060000;
    public static final int TYPE_DIRECTORY = 0040000;
    public static final int TYPE_CHARACTER_DEVICE = 0020000;

    private HostFiles() {}

    /** The st_mode of a file, links followed; 0 when there is none. See stat(2). */
    public static int mode(String path) {
        return attribute(path, "unix:mode") instanceof Integer mode ? mode : 0;
    }

    /** Whether two paths lead to the same file; namespaces have inodes, too. */
    public static boolean isSame(String one, String other) {
        Object inode = attribute(one, "unix:ino");
        Object device = attribute(one, "unix:dev");
        return inode.equals(attribute(other, "unix:ino")) && device.equals(attribute(other, "unix:dev"));
    }

    /** The size in bytes of the filesystem that a path is on; 0 when it does not tell. */
    public static long filesystemSize(String path) {
        try {
            return Math.max(0, Files.getFileStore(Path.of(path)).getTotalSpace());
        } catch (IOException | InvalidPathException e) {
            return 0;
        }
    }

    private static Object attribute(String path, String name) {
        try {
            return Files.getAttribute(Path.of(path), name);
        } catch (IOException | InvalidPathException e) {
            return new Object();
        }
    }
}
