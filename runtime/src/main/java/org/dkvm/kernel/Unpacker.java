// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.DkvmException;

/**
 * Puts a kernel's files from packages into a directory, as {@code boot/} and {@code lib/modules/<release>/}.
 *
 * <p>Packages are not trusted: a name that leads out of the directory is refused, links and devices are never made, and nothing is larger than the bounds.
 */
final class Unpacker {
    private static final int MAX_NAME_LENGTH = 1024;
    private static final int MAX_DEPTH = 32;
    private static final int MODULES_DEPTH = 3;

    private final Path target;
    private final Bounds bounds;
    private int entries;
    private long written;

    Unpacker(Path target, Bounds bounds) {
        this.target = target;
        this.bounds = bounds;
    }

    /** What an archive's entry is. */
    enum Kind {
        DIRECTORY,
        FILE,
        /** Links, hard or symbolic, and devices. */
        OTHER
    }

    /** A stream's plain bytes, no more than all of a package may have. */
    InputStream bounded(InputStream stream) {
        return new BoundedStream(stream, bounds.totalBytes());
    }

    /**
     * Takes an entry when it is one of a kernel's.
     *
     * @param size in bytes, as the archive says
     * @param content gives the bytes of this entry only
     */
    void take(String name, Kind kind, long size, InputStream content) throws IOException, DkvmException {
        if (++entries > bounds.entries()) {
            throw new DkvmException("it has more than " + bounds.entries() + " entries", "");
        }
        List<String> path = split(name);
        if (kind != Kind.FILE || !isWanted(path)) {
            return;
        }
        if (size < 0 || size > bounds.fileBytes()) {
            throw new DkvmException(
                    "its \"" + printable(name) + "\" has " + size + " bytes, more than " + bounds.fileBytes(), "");
        }
        Path file = target.resolve(String.join("/", path));
        Files.createDirectories(file.resolveSibling("."));
        try {
            written += Files.copy(new BoundedStream(content, bounds.fileBytes()), file);
        } catch (FileAlreadyExistsException e) {
            throw new DkvmException("its \"" + printable(name) + "\" comes twice", "", e);
        }
        if (written > bounds.totalBytes()) {
            throw new DkvmException("its files have more than " + bounds.totalBytes() + " bytes", "");
        }
    }

    /** The names of a path, {@code usr} before {@code lib} left out; a path that no package has a reason for is refused. */
    private static List<String> split(String name) throws DkvmException {
        List<String> names = new ArrayList<>();
        boolean bad = name.startsWith("/") || name.length() > MAX_NAME_LENGTH;
        for (String part : name.split("/", -1)) {
            bad |= "..".equals(part) || part.chars().anyMatch(c -> c < ' ' || c == 0x7f);
            if (!part.isEmpty() && !".".equals(part)) {
                names.add(part);
            }
        }
        if (bad || names.size() > MAX_DEPTH) {
            throw new DkvmException("its entry \"" + printable(name) + "\" has no path of a package", "");
        }
        return names.size() > 1 && "usr".equals(names.get(0)) && "lib".equals(names.get(1))
                ? names.subList(1, names.size())
                : names;
    }

    private static boolean isWanted(List<String> path) {
        String name = path.isEmpty() ? "" : path.getLast();
        if (path.size() == 2 && "boot".equals(path.getFirst())) {
            return name.startsWith("vmlinuz") || name.startsWith("vmlinux") || name.startsWith("config");
        }
        return path.size() > MODULES_DEPTH
                && "lib".equals(path.get(0))
                && "modules".equals(path.get(1))
                && isOfModules(name, path.size() == MODULES_DEPTH + 1);
    }

    /** Whether a file belongs to a kernel's modules: not the headers and whatever else stands beside them. */
    private static boolean isOfModules(String name, boolean atTop) {
        return ModuleDirectory.isModule(name)
                || (atTop && (name.startsWith("modules.") || "vmlinuz".equals(name) || "config".equals(name)));
    }

    /** Copies the modules of a directory of the host's, by the same rules. */
    void copyModules(Path from, Path to) throws IOException, DkvmException {
        List<Path> files;
        try (var walk = Files.walk(from)) {
            files = walk.filter(file -> Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS))
                    .filter(file -> isOfModules(file.getFileName().toString(), from.equals(file.getParent())))
                    .limit(bounds.entries() + 1L)
                    .toList();
        }
        if (files.size() > bounds.entries()) {
            throw new DkvmException("\"" + from + "\" has more than " + bounds.entries() + " files", "");
        }
        Files.createDirectories(to);
        for (Path file : files) {
            Path copy = to.resolve(from.relativize(file));
            Files.createDirectories(copy.resolveSibling("."));
            copyFile(file, copy);
        }
    }

    /** Copies a file, within the bounds. */
    void copyFile(Path from, Path to) throws IOException, DkvmException {
        long size = Files.size(from);
        written += size;
        if (size > bounds.fileBytes() || written > bounds.totalBytes()) {
            throw new DkvmException("\"" + from + "\" with its " + size + " bytes is too much for a kernel", "");
        }
        Files.copy(from, to, StandardCopyOption.COPY_ATTRIBUTES);
    }

    private static String printable(String name) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < Math.min(name.length(), 200); i++) {
            text.append(name.charAt(i) >= ' ' && name.charAt(i) <= '~' ? name.charAt(i) : '?');
        }
        return text.toString();
    }
}
