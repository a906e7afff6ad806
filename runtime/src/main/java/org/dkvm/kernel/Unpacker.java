// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
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
    private final Budget budget;
    private long written;

    Unpacker(Path target, Budget budget) {
        this.target = target;
        this.budget = budget;
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
        return budget.paid(stream);
    }

    /**
     * Takes an entry when it is one of a kernel's.
     *
     * @param size in bytes, as the archive says
     * @param content gives the bytes of this entry only
     */
    void take(String name, Kind kind, long size, InputStream content) throws IOException, DkvmException {
        budget.entry();
        List<String> path = split(name);
        if (kind != Kind.FILE || !isWanted(path)) {
            return;
        }
        long most = budget.bounds().fileBytes();
        if (size < 0 || size > most) {
            throw new DkvmException("its \"" + printable(name) + "\" has " + size + " bytes, more than " + most, "");
        }
        Path file = target.resolve(String.join("/", path));
        Files.createDirectories(file.resolveSibling("."));
        try {
            written += Files.copy(budget.file(content), file);
        } catch (FileAlreadyExistsException e) {
            throw new DkvmException("its \"" + printable(name) + "\" comes twice", "", e);
        }
        // A file with holes has more bytes than the archive.
        if (written > budget.bounds().totalBytes()) {
            throw new DkvmException(
                    "its files have more than " + budget.bounds().totalBytes() + " bytes", "");
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
        Files.createDirectories(to);
        try (var walk = Files.walk(from, MAX_DEPTH)) {
            for (Path file : (Iterable<Path>) walk::iterator) {
                budget.entry();
                if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
                        && isOfModules(file.getFileName().toString(), from.equals(file.getParent()))) {
                    Path copy = to.resolve(from.relativize(file));
                    Files.createDirectories(copy.resolveSibling("."));
                    copyFile(file, copy);
                }
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    /** Copies a file, within the bounds. */
    void copyFile(Path from, Path to) throws IOException, DkvmException {
        long size = Files.size(from);
        if (size > budget.bounds().fileBytes()) {
            throw new DkvmException("\"" + from + "\" with its " + size + " bytes is too much for a kernel", "");
        }
        budget.spend(size);
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
