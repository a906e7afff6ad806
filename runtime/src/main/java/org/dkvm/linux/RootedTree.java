// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * A root filesystem with mounts in it, looked at from outside as a process inside would see it.
 *
 * <p>A path is walked name by name; links are followed within the tree, absolute ones from its root, {@code ..} never leaves it. Nothing is looked up here: the reader is asked
 * for each name, so a tree that changes meanwhile can at worst give a wrong answer about itself.
 */
public final class RootedTree {
    /** As the kernel's MAXSYMLINKS. */
    private static final int MAX_LINKS = 40;

    /** So many names are looked at for one container, at most: a link's text has two thousand, and a PATH may lead through it ten thousand times. Ordinary ones take some hundred. */
    static final int MOST_LOOKS = 10_000;

    /** What is at the end of a path. */
    public enum Kind {
        FILE,
        DIRECTORY,
        OTHER,
        /** A name on the way, or the last one, is not there. */
        MISSING,
        /** As MISSING, but the directory that lacks the name is empty: something may be mounted there when the container runs. */
        MISSING_IN_EMPTY,
        NOT_A_DIRECTORY,
        TOO_MANY_LINKS,
        /** Behind a mount whose content only the guest has: a tmpfs, /proc; or enough has been looked at. */
        HIDDEN
    }

    /**
     * The end of a path.
     *
     * @param path the path in the tree without links, {@code .} and {@code ..}; names after a missing one as they stand
     * @param kind what is there
     * @param executable whether any execute bit is set
     */
    public record Found(String path, Kind kind, boolean executable) {}

    /** The target has no trailing slash: the root's is empty. */
    private record Mount(String target, Path source, boolean hidden) {
        /** The path from the source. */
        String below(String path) {
            return path.substring(target.length());
        }
    }

    private static final int ANY_EXECUTE = 0111;
    private static final List<String> NO_NAMES = List.of();
    private static final byte[] NO_BYTES = {};

    private final Path root;
    private final List<Mount> mounts = new ArrayList<>();
    private final RootedReader reader;
    private int looks;

    /**
     * A tree without mounts.
     *
     * @param reader by which all is looked at
     */
    public RootedTree(Path root, RootedReader reader) {
        this.root = root;
        this.reader = reader;
    }

    /** Adds a mount of something the host has. */
    public void addBind(String target, Path source) {
        mounts.add(new Mount(target, source, false));
    }

    /** Adds a mount whose content can not be seen from here. */
    public void addHidden(String target) {
        mounts.add(new Mount(target, root, true));
    }

    /**
     * Which of the mounts that were added a path is in, by its number from 0; -1: the root itself.
     *
     * @param path one that {@link #find} gave
     */
    public int mountOf(String path) {
        for (int i = mounts.size() - 1; i >= 0; i--) {
            if (isAtOrBelow(path, mounts.get(i).target)) {
                return i;
            }
        }
        return -1;
    }

    /** Where a mount is, by its number. */
    public String targetOf(int mount) {
        return mounts.get(mount).target;
    }

    /** Walks a path from the tree's root. */
    public Found find(String path) {
        Deque<String> ahead = new ArrayDeque<>();
        pushNames(ahead, path);
        List<String> walked = new ArrayList<>();
        Node last = DIRECTORY;
        Node failure = DIRECTORY;
        int failureDepth = Integer.MAX_VALUE;
        int links = 0;
        while (!ahead.isEmpty()) {
            String name = ahead.pop();
            if ("..".equals(name)) {
                if (!walked.isEmpty()) {
                    walked.removeLast();
                }
                last = DIRECTORY;
                continue;
            }
            walked.add(name);
            if (walked.size() > failureDepth) {
                continue;
            }
            last = look(walked);
            if (!last.link.isEmpty()) {
                walked.removeLast();
                if (++links > MAX_LINKS) {
                    return new Found(join(walked, ahead), Kind.TOO_MANY_LINKS, false);
                }
                if (last.link.startsWith("/")) {
                    walked.clear();
                }
                pushNames(ahead, last.link);
                last = DIRECTORY;
            } else if (last.kind != Kind.DIRECTORY && (!ahead.isEmpty() || !last.isThere())) {
                failureDepth = walked.size();
                failure = last.isThere() ? NOT_A_DIRECTORY : failure.kind == Kind.DIRECTORY ? last : failure;
            } else {
                failureDepth = Integer.MAX_VALUE;
            }
        }
        Node end = failure.kind == Kind.DIRECTORY ? last : failure;
        return new Found(join(walked, ahead), end.kind, end.executable);
    }

    /**
     * The first bytes of a regular file; none of anything else, or of one that can not be read.
     *
     * @param found what {@link #find} gave; where it has become a link since, that is not followed out of the root or the volume
     */
    public byte[] head(Found found, int most) {
        if (found.kind != Kind.FILE) {
            return NO_BYTES;
        }
        Mount mount = mount(found.path);
        return reader.head(mount.source, mount.below(found.path), most);
    }

    /** Whether a directory on the way to a file surely bars the user; the path is one that {@link #find} gave. */
    public boolean barsTheWay(String path, FileUser user) {
        for (int slash = path.indexOf('/', 1); slash >= 0; slash = path.indexOf('/', slash + 1)) {
            if (bars(path.substring(0, slash), user)) {
                return true;
            }
        }
        return false;
    }

    /** Whether the user surely may not execute a file that has an execute bit; the path is one that {@link #find} gave. */
    public boolean barsExecution(String path, FileUser user) {
        return bars(path, user);
    }

    private boolean bars(String path, FileUser user) {
        Mount mount = mount(path);
        // Nearly every workload starts as such a user: no look at the disk for that one.
        if (user.overrides() || mount.hidden || looks >= MOST_LOOKS) {
            return false;
        }
        looks++;
        RootedReader.Look found = reader.look(mount.source, mount.below(path));
        return !found.isMissing() && !found.isUnknown() && user.isBarred(found.mode(), found.uid(), found.gid());
    }

    /** One name of the tree; a link's text, empty for all else. */
    private record Node(Kind kind, boolean executable, String link) {
        boolean isThere() {
            return kind == Kind.FILE || kind == Kind.DIRECTORY || kind == Kind.OTHER;
        }
    }

    private static final Node DIRECTORY = new Node(Kind.DIRECTORY, true, "");
    private static final Node NOT_A_DIRECTORY = new Node(Kind.NOT_A_DIRECTORY, false, "");
    private static final Node HIDDEN = new Node(Kind.HIDDEN, false, "");
    private static final Node MISSING = new Node(Kind.MISSING, false, "");
    private static final Node MISSING_IN_EMPTY = new Node(Kind.MISSING_IN_EMPTY, false, "");

    private Node look(List<String> names) {
        String path = join(names, NO_NAMES);
        Mount mount = mount(path);
        if (mount.hidden || looks >= MOST_LOOKS) {
            return HIDDEN;
        }
        looks++;
        RootedReader.Look found = reader.look(mount.source, mount.below(path));
        if (found.isMissing()) {
            return missing(names);
        }
        if (found.isUnknown()) {
            // As good as not there, for our purposes.
            return MISSING;
        }
        if (found.isA(HostFiles.TYPE_LINK)) {
            return new Node(Kind.OTHER, false, found.link().isEmpty() ? "." : found.link());
        }
        Kind kind = found.isA(HostFiles.TYPE_DIRECTORY)
                ? Kind.DIRECTORY
                : found.isA(HostFiles.TYPE_FILE) ? Kind.FILE : Kind.OTHER;
        return new Node(kind, (found.mode() & ANY_EXECUTE) != 0, "");
    }

    private Node missing(List<String> names) {
        String parent = join(names.subList(0, names.size() - 1), NO_NAMES);
        Mount mount = mount(parent);
        if (mount.hidden || "/".equals(parent) || looks >= MOST_LOOKS) {
            return MISSING;
        }
        looks++;
        return reader.isEmpty(mount.source, mount.below(parent)) ? MISSING_IN_EMPTY : MISSING;
    }

    /** The last mount that a path is at or below: later ones cover earlier ones. */
    private Mount mount(String path) {
        int number = mountOf(path);
        return number < 0 ? new Mount("", root, false) : mounts.get(number);
    }

    /** Whether a path is the directory or in it; both without links and trailing slashes. */
    public static boolean isAtOrBelow(String path, String directory) {
        if (!path.startsWith(directory)) {
            return false;
        }
        return path.length() == directory.length() || path.charAt(directory.length()) == '/';
    }

    private static void pushNames(Deque<String> ahead, String path) {
        int end = path.length();
        while (end > 0) {
            int slash = path.lastIndexOf('/', end - 1);
            String name = path.substring(slash + 1, end);
            if (!name.isEmpty() && !".".equals(name)) {
                ahead.push(name);
            }
            end = slash;
        }
    }

    private static String join(List<String> names, Iterable<String> more) {
        StringBuilder path = new StringBuilder();
        for (String name : names) {
            path.append('/').append(name);
        }
        for (String name : more) {
            path.append('/').append(name);
        }
        return path.isEmpty() ? "/" : path.toString();
    }
}
