// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.dkvm.core.DkvmException;
import org.dkvm.linux.FileTree;

/**
 * The entries of {@link ImageKernelCache}, each named by its content, so that the same is there once whoever brought it; and beside them, in {@code by-image}, links
 * that lead from an image's files to the entry that was made of them.
 */
final class CacheShelf {
    /** What all entries together may have; the one that was made last stays in any case. An ordinary one has 20 MiB. */
    private static final long MOST_BYTES = 512L * 1024 * 1024;

    private static final int MOST_LINKS = 4096;
    private static final String LINKS = "by-image";
    private static final int BUFFER_BYTES = 64 * 1024;

    private final Path directory;
    private final long mostBytes;

    CacheShelf(Path directory) {
        this(directory, MOST_BYTES);
    }

    CacheShelf(Path directory, long mostBytes) {
        this.directory = directory;
        this.mostBytes = mostBytes;
    }

    /** The entry of files of this identity, by its real name; a directory that is not there where there is none. */
    Path find(String identity) throws IOException {
        Path link = directory.resolve(LINKS).resolve(identity);
        return Files.isSymbolicLink(link)
                ? directory.resolve(String.valueOf(Files.readSymbolicLink(link).getFileName()))
                : link;
    }

    /**
     * Takes what was made as an entry, or finds that it is there already.
     *
     * @param made a directory on the same filesystem with nothing but {@link ImageKernelFiles#NAMES}
     */
    Path keep(Path made, String identity) throws IOException, DkvmException {
        Path entry = directory.resolve(content(made));
        FileTree.makeReadable(made);
        try {
            Files.move(made, entry, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileSystemException e) {
            // The same may have been made before.
            if (!Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
                throw e;
            }
        }
        Files.setLastModifiedTime(entry, FileTime.fromMillis(System.currentTimeMillis()));
        link(identity, entry);
        prune(entry);
        return entry;
    }

    private static String content(Path made) throws IOException, DkvmException {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            byte[] buffer = new byte[BUFFER_BYTES];
            for (String name : ImageKernelFiles.NAMES) {
                Path file = made.resolve(name);
                if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
                    throw new DkvmException("\"" + name + "\" was not made", "");
                }
                digest.update((name + " " + Files.size(file) + "\n").getBytes(StandardCharsets.UTF_8));
                try (InputStream in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
                    for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                        digest.update(buffer, 0, count);
                    }
                }
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IOException(e);
        }
    }

    private void link(String identity, Path entry) throws IOException {
        Path links = Files.createDirectories(directory.resolve(LINKS));
        Path fresh = links.resolve(identity + "-" + ProcessHandle.current().pid());
        Files.deleteIfExists(fresh);
        Files.createSymbolicLink(fresh, Path.of("..").resolve(entry.getFileName()));
        Files.move(fresh, links.resolve(identity), StandardCopyOption.ATOMIC_MOVE);
    }

    /** A VM that runs does not need its entry any more. */
    private void prune(Path newest) throws IOException {
        long bytes = FileTree.size(newest);
        for (Path entry : newestFirst(directory)) {
            if (entry.equals(newest) || entry.endsWith(LINKS)) {
                continue;
            }
            try {
                bytes += FileTree.size(entry);
                if (bytes > mostBytes) {
                    FileTree.delete(entry);
                }
            } catch (NoSuchFileException ignored) {
                // Another create removes it, too.
            }
        }
        List<Path> links = newestFirst(directory.resolve(LINKS));
        for (int i = 0; i < links.size(); i++) {
            if (i >= MOST_LINKS || !Files.isDirectory(links.get(i))) {
                Files.deleteIfExists(links.get(i));
            }
        }
    }

    /** What is in a directory but for hidden names, the ones used last first. */
    private static List<Path> newestFirst(Path directory) throws IOException {
        List<Path> entries = new ArrayList<>();
        try (Stream<Path> all = Files.list(directory)) {
            all.filter(path -> !path.getFileName().toString().startsWith(".")).forEach(entries::add);
        }
        List<Dated> dated = new ArrayList<>();
        for (Path entry : entries) {
            try {
                dated.add(new Dated(entry, Files.getLastModifiedTime(entry, LinkOption.NOFOLLOW_LINKS)));
            } catch (NoSuchFileException ignored) {
                // Another create removed it.
            }
        }
        dated.sort(Comparator.comparing(Dated::time).reversed());
        return dated.stream().map(Dated::path).toList();
    }

    private record Dated(Path path, FileTime time) {}
}
