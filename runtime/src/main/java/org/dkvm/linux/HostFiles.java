// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** Facts about files that Java has no typed names for. */
public final class HostFiles {
    /** File type bits of st_mode; see inode(7). */
    public static final int TYPE_MASK = 0170000;

    public static final int TYPE_SOCKET = 0140000;
    public static final int TYPE_LINK = 0120000;
    public static final int TYPE_FILE = 0100000;
    public static final int TYPE_BLOCK_DEVICE = 0060000;
    public static final int TYPE_DIRECTORY = 0040000;
    public static final int TYPE_CHARACTER_DEVICE = 0020000;

    private static final int SETTING_BYTES = 256;

    private static final Path HOST_NAME = Path.of("/proc/sys/kernel/hostname");

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

    /** Whether two paths lead to one filesystem. */
    public static boolean isOfOneFilesystem(String one, String other) {
        return attribute(one, "unix:dev").equals(attribute(other, "unix:dev"));
    }

    /** The size in bytes of the filesystem that a path is on; 0 when it does not tell. */
    public static long filesystemSize(String path) {
        try {
            return Math.max(0, Files.getFileStore(Path.of(path)).getTotalSpace());
        } catch (IOException | InvalidPathException e) {
            return 0;
        }
    }

    /** Whether a file, links followed, is the device with that number. See makedev(3). */
    public static boolean isDevice(String path, int major, int minor) {
        return attribute(path, "unix:rdev") instanceof Long device
                && major == ((device >> 8 & 0xFFF) | (device >> 32 & ~0xFFFL))
                && minor == ((device & 0xFF) | (device >> 12 & ~0xFFL & 0xFFFFFFFFL));
    }

    /**
     * A setting in /proc/sys, read at once: the kernel gives a number's first read and no other, and Files.readString() begins with one byte where a file has no size. See
     * proc_sys(5).
     */
    public static String setting(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] text = new byte[SETTING_BYTES];
            return new String(text, 0, Math.max(0, in.read(text)), StandardCharsets.US_ASCII).strip();
        }
    }

    /** The host's name; empty where the kernel does not tell. See uname(2). */
    public static String hostName() {
        try {
            return setting(HOST_NAME);
        } catch (IOException e) {
            return "";
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
