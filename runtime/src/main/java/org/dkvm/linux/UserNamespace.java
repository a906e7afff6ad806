// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.DkvmException;

/**
 * Which users and groups of the host a process can name. See user_namespaces(7), "User and group ID mappings".
 *
 * @param users the ranges of /proc/self/uid_map
 * @param groups those of /proc/self/gid_map
 */
public record UserNamespace(List<Range> users, List<Range> groups) {
    /** All ids but the one that says that there is none. */
    private static final Range WHOLE = new Range(0, 4294967295L);

    /** Beside an image's own users, the last of which is nobody, 65534. */
    private static final long LEAST = 1 << 16;

    /** How far below the end the sandbox's users are: above those that programs choose, and not the very last, which some choose. */
    private static final long BELOW_THE_END = 256;

    private static final Path USERS = Path.of("/proc/self/uid_map");
    private static final Path GROUPS = Path.of("/proc/self/gid_map");
    private static final String ADVICE =
            "an administrator gives a user some: \"usermod --add-subuids 100000-165535 --add-subgids 100000-165535 NAME\"; then \"podman system migrate\"";

    /**
     * Ids one after the other, as this namespace numbers them.
     *
     * @param first the lowest
     * @param count how many
     */
    public record Range(long first, long count) {
        private boolean has(long id) {
            return id >= first && id - first < count;
        }
    }

    public UserNamespace {
        users = List.copyOf(users);
        groups = List.copyOf(groups);
    }

    /** This process's; the host's own where /proc does not tell. */
    public static UserNamespace own() {
        try {
            return new UserNamespace(parse(Files.readString(USERS)), parse(Files.readString(GROUPS)));
        } catch (IOException | NumberFormatException e) {
            return host();
        }
    }

    /** The host's own, with all users. */
    public static UserNamespace host() {
        return new UserNamespace(List.of(WHOLE), List.of(WHOLE));
    }

    /** The ranges in the text of such a file: first id inside, first id outside, count. */
    static List<Range> parse(String text) {
        List<Range> ranges = new ArrayList<>();
        text.lines().forEach(line -> {
            String[] columns = line.strip().split("\\s+", -1);
            ranges.add(new Range(Long.parseLong(columns[0]), Long.parseLong(columns[columns.length - 1])));
        });
        return ranges;
    }

    /** Whether root is the host's. A container of the system's own that has all ids but not root's is none of a user's: its root is whoever it is. */
    public boolean isHosts() {
        return users.equals(List.of(WHOLE));
    }

    /**
     * The first of some ids, of users and of groups, that no image uses: the sandbox's programs run as them.
     *
     * @param count how many are needed
     */
    public long spare(int count) throws DkvmException {
        long end = 0;
        for (Range range : users) {
            end = Math.max(end, range.first + range.count);
        }
        long first = end - BELOW_THE_END;
        boolean known = end >= LEAST;
        for (long id = first; known && id < first + count; id++) {
            known = isIn(users, id) && isIn(groups, id);
        }
        if (!known) {
            throw new DkvmException(
                    "this user namespace has " + end + " user ids, and a VM needs " + LEAST
                            + ", of users and of groups",
                    ADVICE);
        }
        return first;
    }

    private static boolean isIn(List<Range> ranges, long id) {
        return ranges.stream().anyMatch(range -> range.has(id));
    }
}
