// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What is mounted, as the kernel tells it. See proc_pid_mountinfo(5). */
public final class MountTable {
    private static final Path OWN = Path.of("/proc/self/mountinfo");
    private static final int DEVICE = 2;
    private static final int ROOT = 3;
    private static final int POINT = 4;
    private static final int OPTIONS = 5;
    private static final int FIRST_OPTIONAL = 6;

    /** After the dash. */
    private static final int SETTINGS = 3;

    private static final int OCTAL_DIGITS = 3;
    private static final int OCTAL = 8;

    /**
     * One mount.
     *
     * @param device the filesystem's number: "8:1"
     * @param root what of that filesystem is mounted: "/" is all of it
     * @param point where it is, from the process's root
     * @param options the mount's own, not its filesystem's
     * @param type the filesystem's
     * @param source what it was mounted from, as somebody said; empty where nobody did
     * @param settings the filesystem's own options
     */
    public record Mount(
            String device,
            String root,
            String point,
            List<String> options,
            String type,
            String source,
            List<String> settings) {}

    private MountTable() {}

    /** What this process has, in the order in which it was mounted; nothing where /proc does not tell. */
    public static List<Mount> own() {
        try {
            return parse(Files.readString(OWN, StandardCharsets.ISO_8859_1));
        } catch (IOException e) {
            return List.of();
        }
    }

    /** The mounts in such a text; a line that is not understood is left out. */
    public static List<Mount> parse(String text) {
        List<Mount> mounts = new ArrayList<>();
        int start = 0;
        while (start < text.length()) {
            int end = text.indexOf('\n', start);
            end = end < 0 ? text.length() : end;
            addLine(mounts, text.substring(start, end).split(" ", -1));
            start = end + 1;
        }
        return mounts;
    }

    private static void addLine(List<Mount> mounts, String[] fields) {
        int dash = FIRST_OPTIONAL;
        while (dash < fields.length && !"-".equals(fields[dash])) {
            dash++;
        }
        if (dash + 2 < fields.length) {
            mounts.add(new Mount(
                    fields[DEVICE],
                    unescape(fields[ROOT]),
                    unescape(fields[POINT]),
                    List.of(fields[OPTIONS].split(",", -1)),
                    fields[dash + 1],
                    unescape(fields[dash + 2]),
                    dash + SETTINGS < fields.length ? List.of(fields[dash + SETTINGS].split(",", -1)) : List.of()));
        }
    }

    /** Blanks and the like are a backslash and three octal digits. */
    private static String unescape(String field) {
        byte[] bytes = field.getBytes(StandardCharsets.ISO_8859_1);
        byte[] plain = new byte[bytes.length];
        int size = 0;
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] == '\\' && i + OCTAL_DIGITS < bytes.length) {
                int value = 0;
                for (int digit = 1; digit <= OCTAL_DIGITS; digit++) {
                    value = value * OCTAL + (bytes[i + digit] - '0');
                }
                plain[size++] = (byte) value;
                i += OCTAL_DIGITS;
            } else {
                plain[size++] = bytes[i];
            }
        }
        return new String(plain, 0, size, StandardCharsets.UTF_8);
    }
}
