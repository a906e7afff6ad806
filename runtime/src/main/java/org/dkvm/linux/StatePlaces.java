// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.dkvm.core.DkvmException;
import org.jspecify.annotations.Nullable;

/**
 * Where DKVM keeps what outlives a command: root's in /run, /var/cache and /var/log, a user's below $XDG_RUNTIME_DIR. There {@code cache} is a link to the user's cache: engines
 * hand on the former name to each command, and of the latter only what a create needs. The launcher and dkvm-keep find the same places.
 */
public final class StatePlaces {
    /** Who may not write there is not the host's root, whatever its number is. */
    private static final Path SYSTEM = Path.of("/run");

    private static final String OWN = "dkvm";
    private static final String CACHE = "cache";
    private static final String PRIVATE = "rwx------";
    private static final boolean USERS = isUsers(System.getenv("XDG_RUNTIME_DIR"), isRoots());

    private StatePlaces() {}

    /** The host's root stays so where /run is read-only: a directory that a variable names may be anybody's. */
    private static boolean isRoots() {
        try {
            return Files.isWritable(SYSTEM)
                    || (UserNamespace.own().isHosts()
                            && Integer.valueOf(0).equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid")));
        } catch (IOException e) {
            return false;
        }
    }

    /** Whether they are a user's. Without a directory of its own it can have none, and what is root's is not for it to write. */
    static boolean isUsers(@Nullable String runtimeDirectory, boolean isRoots) {
        return !isRoots && runtimeDirectory != null && runtimeDirectory.startsWith("/");
    }

    /** Whether they are those of a user, and not the host's. */
    public static boolean areUsers() {
        return USERS;
    }

    /** Where the runtimes below have directories of their own. */
    public static Path runtimes() {
        return USERS ? Path.of(System.getenv("XDG_RUNTIME_DIR")) : SYSTEM;
    }

    /** For one boot of the host. */
    public static Path run() {
        return runtimes().resolve(OWN);
    }

    /** What can be made again. */
    public static Path cache() {
        return USERS ? run().resolve(CACHE) : Path.of("/var/cache/dkvm");
    }

    /** Logs of VMs that are gone. */
    public static Path logs() {
        return USERS ? cache().resolve("log") : Path.of("/var/log/dkvm");
    }

    /** Makes a user's; root's are made by who writes there. */
    public static void prepare() throws DkvmException {
        if (USERS && !Files.isDirectory(cache())) {
            prepare(run(), usersCache());
        }
    }

    static void prepare(Path run, Path cache) throws DkvmException {
        try {
            makePrivate(run);
            makePrivate(cache);
            Path link = run.resolve(CACHE);
            if (Files.isSymbolicLink(link) && !Files.isDirectory(link)) {
                Files.delete(link);
            }
            makeLink(link, cache);
        } catch (IOException e) {
            throw new DkvmException(
                    "can not make \"" + run + "\" and \"" + cache + "\": " + e,
                    "XDG_RUNTIME_DIR and XDG_CACHE_HOME name directories that are the user's",
                    e);
        }
    }

    private static Path usersCache() {
        String cache = System.getenv("XDG_CACHE_HOME");
        String home = System.getenv("HOME");
        if (cache != null && cache.startsWith("/")) {
            return Path.of(cache).resolve(OWN);
        }
        // As long as the user is logged in.
        return home != null && home.startsWith("/")
                ? Path.of(home).resolve(".cache").resolve(OWN)
                : run().resolve("kept");
    }

    /** Another one may make it at the same time. */
    private static void makeLink(Path link, Path cache) throws IOException {
        try {
            Files.createSymbolicLink(link, cache);
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(link)) {
                throw e;
            }
        }
    }

    /** Makes a directory, which no other user may look into, and those above it. Two may come here at the same time. */
    public static void makePrivate(Path directory) throws IOException {
        if (Files.isDirectory(directory)) {
            return;
        }
        Files.createDirectories(directory.toAbsolutePath().getParent());
        try {
            Files.createDirectory(
                    directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(PRIVATE)));
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(directory)) {
                throw e;
            }
        }
    }
}
