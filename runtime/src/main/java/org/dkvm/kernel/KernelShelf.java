// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.dkvm.core.Architecture;
import org.dkvm.core.DkvmException;
import org.dkvm.core.VersionOrder;
import org.dkvm.linux.FileTree;

/**
 * The package's kernels, for the administrator who changes them: one at a time, and each change is one rename.
 *
 * <p>What is being made or removed is in a hidden directory beside the distributions'; what an earlier call had to leave there is removed by the next.
 */
public final class KernelShelf implements AutoCloseable {
    private static final String LATEST = KernelName.LATEST;
    private static final String LOCK = ".lock";
    private static final String WORK = ".work-";
    /** An upgrade keeps the kernels without this mark. */
    private static final String SHIPPED = ".shipped";

    private final Path directory;
    private final FileChannel lock;

    private KernelShelf(Path directory, FileChannel lock) {
        this.directory = directory;
        this.lock = lock;
    }

    /**
     * A kernel of the list.
     *
     * @param shipped whether it came with the package
     * @param latest whether its distribution's {@code latest} leads to it
     */
    public record Entry(KernelName name, Path directory, boolean shipped, boolean latest) {
        /** What it is built for. */
        public Architecture architecture() {
            return name.architecture();
        }
    }

    /** All kernels, by distribution and version. */
    public static List<Entry> list(Path directory) throws DkvmException {
        List<Entry> entries = new ArrayList<>();
        for (Path dist : children(directory)) {
            for (String version : versions(dist)) {
                Path kernel = dist.resolve(version);
                entries.add(new Entry(
                        new KernelName(name(dist), version),
                        kernel,
                        Files.exists(kernel.resolve(SHIPPED)),
                        leadsTo(dist.resolve(LATEST), kernel)));
            }
        }
        return entries;
    }

    /**
     * A link to a kernel of another distribution: the default has one where DKVM's own kernel was not built.
     *
     * @param name {@code <dist>/latest}
     * @param target {@code <dist>/<version>}
     */
    public record Link(String name, String target) {}

    /** The links that lead to another distribution's kernel. */
    public static List<Link> links(Path directory) throws DkvmException {
        List<Link> links = new ArrayList<>();
        for (Path dist : children(directory)) {
            Path link = dist.resolve(LATEST);
            // One that leads to nowhere is no kernel.
            if (!Files.isDirectory(link)) {
                continue;
            }
            try {
                Path target = link.toRealPath();
                if (!target.startsWith(dist.toRealPath()) && target.startsWith(directory.toRealPath())) {
                    String kernel = directory.toRealPath().relativize(target).toString();
                    links.add(new Link(name(dist) + "/" + LATEST, kernel));
                }
            } catch (IOException e) {
                throw new DkvmException("can not read \"" + link + "\": " + e, "", e);
            }
        }
        return links;
    }

    /** Waits for whoever else changes the kernels. */
    public static KernelShelf open(Path directory) throws DkvmException {
        try {
            FileChannel channel =
                    FileChannel.open(directory.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            FileLock held = channel.lock();
            KernelShelf shelf = new KernelShelf(directory, channel);
            if (held.isValid()) {
                shelf.removeLeftovers();
            }
            return shelf;
        } catch (IOException e) {
            throw new DkvmException("can not change the kernels in \"" + directory + "\": " + e, "run it as root", e);
        }
    }

    /** Ends the change; the next may begin. */
    @Override
    public void close() throws DkvmException {
        try {
            removeLeftovers();
            lock.close();
        } catch (IOException e) {
            throw new DkvmException("can not clean up in \"" + directory + "\": " + e, "", e);
        }
    }

    /** Fails when there is a kernel of this name. */
    public void refuseExisting(KernelName name) throws DkvmException {
        if (Files.exists(place(name), LinkOption.NOFOLLOW_LINKS)) {
            throw new DkvmException(
                    "kernel \"" + name + "\" is there already",
                    "\"dkvm kernel rm " + name + "\" removes it, or give another version");
        }
    }

    /** An empty directory to make a kernel in, on the same filesystem. */
    public Path work() throws DkvmException {
        try {
            return Files.createTempDirectory(directory, WORK);
        } catch (IOException e) {
            throw new DkvmException("can not make a directory in \"" + directory + "\": " + e, "", e);
        }
    }

    /**
     * Puts a finished kernel in its place.
     *
     * @return whether it has become its distribution's latest
     */
    public boolean publish(KernelName name, Path made) throws DkvmException {
        refuseExisting(name);
        Path dist = directory.resolve(name.dist());
        try {
            FileTree.makeReadable(made);
            Files.createDirectories(dist);
            Files.move(made, place(name), StandardCopyOption.ATOMIC_MOVE);
            boolean newest = versions(dist).getLast().equals(name.version());
            if (newest) {
                link(dist, name.version());
            }
            return newest;
        } catch (IOException e) {
            throw new DkvmException("can not put kernel \"" + name + "\" in its place: " + e, "", e);
        }
    }

    /** Removes a kernel, and lets {@code latest} lead to the newest of those that are left. */
    public void remove(KernelName name) throws DkvmException {
        Path kernel = existing(name);
        Path dist = directory.resolve(name.dist());
        try {
            boolean wasLatest = leadsTo(dist.resolve(LATEST), kernel);
            List<String> left = new ArrayList<>(versions(dist));
            left.remove(name.version());
            if (wasLatest && !left.isEmpty()) {
                link(dist, left.getLast());
            } else if (wasLatest) {
                Files.delete(dist.resolve(LATEST));
            }
            Path doomed = work();
            Files.move(kernel, doomed.resolve(name.version()), StandardCopyOption.ATOMIC_MOVE);
            FileTree.delete(doomed);
            if (left.isEmpty()
                    && children(dist).isEmpty()
                    && !Files.exists(dist.resolve(LATEST), LinkOption.NOFOLLOW_LINKS)) {
                Files.delete(dist);
            }
        } catch (IOException e) {
            throw new DkvmException("can not remove kernel \"" + name + "\": " + e, "", e);
        }
    }

    /** Whether a kernel came with the package. */
    public boolean isShipped(KernelName name) throws DkvmException {
        return Files.exists(existing(name).resolve(SHIPPED));
    }

    /** Whether {@code <dist>[/<version>]} leads to a kernel, and to none once that kernel is gone. */
    public boolean losesTarget(String name, KernelName gone) throws DkvmException {
        Path target;
        try {
            target = new KernelStore(directory).find(name).directory();
        } catch (DkvmException e) {
            // It leads nowhere as it is.
            return false;
        }
        boolean followsLatest = name.equals(gone.dist()) || name.equals(gone.dist() + "/" + LATEST);
        if (!isSame(target, place(gone))) {
            return false;
        }
        return !followsLatest || versions(directory.resolve(gone.dist())).size() == 1;
    }

    private Path place(KernelName name) {
        return directory.resolve(name.dist()).resolve(name.version());
    }

    private Path existing(KernelName name) throws DkvmException {
        Path kernel = place(name);
        if (!Files.isDirectory(kernel, LinkOption.NOFOLLOW_LINKS)) {
            throw new DkvmException(
                    "kernel \"" + name + "\" not found in " + directory, "\"dkvm kernel ls\" lists them");
        }
        return kernel;
    }

    private static void link(Path dist, String version) throws IOException {
        Path fresh = dist.resolve("." + LATEST + "-new");
        Files.deleteIfExists(fresh);
        Files.createSymbolicLink(fresh, Path.of(version));
        Files.move(fresh, dist.resolve(LATEST), StandardCopyOption.ATOMIC_MOVE);
    }

    private void removeLeftovers() throws IOException {
        try (var entries = Files.list(directory)) {
            for (Path entry :
                    entries.filter(path -> name(path).startsWith(WORK)).toList()) {
                FileTree.delete(entry);
            }
        }
    }

    private static boolean leadsTo(Path link, Path kernel) {
        return Files.isSymbolicLink(link) && isSame(link, kernel);
    }

    private static boolean isSame(Path one, Path other) {
        try {
            return Files.isSameFile(one, other);
        } catch (IOException e) {
            return false;
        }
    }

    /** A distribution's versions, oldest first. */
    private static List<String> versions(Path dist) throws DkvmException {
        return children(dist).stream()
                .map(KernelShelf::name)
                .filter(version -> !LATEST.equals(version))
                .sorted(VersionOrder.OLDEST_FIRST)
                .toList();
    }

    /** The directories in a directory that have a usable name; links are none. */
    private static List<Path> children(Path parent) throws DkvmException {
        try (var entries = Files.list(parent)) {
            return entries.filter(entry -> KernelName.isUsable(name(entry)))
                    .filter(entry -> Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS))
                    .sorted(Comparator.comparing(KernelShelf::name))
                    .toList();
        } catch (IOException e) {
            throw new DkvmException("can not list \"" + parent + "\": " + e, "", e);
        }
    }

    private static String name(Path path) {
        return String.valueOf(path.getFileName());
    }
}
