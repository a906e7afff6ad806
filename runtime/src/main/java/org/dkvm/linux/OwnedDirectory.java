// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/**
 * A directory that one process works in while it lives: it holds a lock in it, so that another one can tell what a killed process left behind, and remove that. See
 * fcntl(2), F_SETLK.
 */
public final class OwnedDirectory implements AutoCloseable {
    private static final String LOCK = ".lock";

    /** The kernel's locks are a process's, not a thread's. */
    private static final ReentrantLock ONE_AT_A_TIME = new ReentrantLock();

    /** This process's own: to close a file of one again would give its lock away. */
    private static final Set<Path> OWN = ConcurrentHashMap.newKeySet();

    private final Path path;
    private final FileChannel lock;

    private OwnedDirectory(Path path, FileChannel lock) {
        this.path = path;
        this.lock = lock;
    }

    /** What is done for a directory whose process is gone, before the directory is. */
    @FunctionalInterface
    public interface Cleanup {
        void of(Path leftover) throws IOException;
    }

    /**
     * Makes one.
     *
     * @param prefix what its name begins with; the rest is random
     */
    public static OwnedDirectory make(Path parent, String prefix) throws IOException {
        try (Held held = new Held(parent)) {
            Path path = Files.createTempDirectory(parent, prefix);
            FileChannel lock =
                    FileChannel.open(path.resolve(LOCK), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            if (!held.isHeld() || lock.tryLock() == null) {
                throw new IOException("\"" + path + "\" is locked by another");
            }
            OWN.add(path);
            return new OwnedDirectory(path, lock);
        }
    }

    /** Removes those that no process has any more. */
    public static void sweep(Path parent, String prefix, Cleanup cleanup) throws IOException {
        if (!Files.isDirectory(parent)) {
            return;
        }
        try (Held held = new Held(parent)) {
            for (Path left : named(parent, prefix)) {
                if (held.isHeld() && isLeft(left)) {
                    cleanup.of(left);
                    FileTree.delete(left);
                }
            }
        }
    }

    /** While it is there nobody else makes or removes one. */
    private static final class Held implements AutoCloseable {
        private final FileChannel channel;
        private final FileLock lock;

        Held(Path parent) throws IOException {
            ONE_AT_A_TIME.lock();
            try {
                channel = FileChannel.open(parent.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                lock = channel.lock();
            } catch (IOException e) {
                ONE_AT_A_TIME.unlock();
                throw e;
            }
        }

        boolean isHeld() {
            return lock.isValid();
        }

        @Override
        public void close() throws IOException {
            try {
                channel.close();
            } finally {
                ONE_AT_A_TIME.unlock();
            }
        }
    }

    private static List<Path> named(Path parent, String prefix) throws IOException {
        List<Path> found = new ArrayList<>();
        try (Stream<Path> all = Files.list(parent)) {
            all.filter(path -> path.getFileName().toString().startsWith(prefix)
                            && Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS))
                    .forEach(found::add);
        }
        return found;
    }

    private static boolean isLeft(Path directory) throws IOException {
        if (OWN.contains(directory)) {
            return false;
        }
        Path file = directory.resolve(LOCK);
        if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            // Its process ended between making the directory and the lock, or while it removed both.
            return true;
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            return channel.tryLock() != null;
        }
    }

    public Path path() {
        return path;
    }

    /** Removes it with all that is in it: alone, since a directory without its lock is anybody's to remove. */
    @Override
    public void close() throws IOException {
        Path parent = path.resolveSibling(".");
        try (Held held = new Held(parent)) {
            if (held.isHeld()) {
                FileTree.delete(path);
            }
        } finally {
            lock.close();
            OWN.remove(path);
        }
    }
}
