// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.dkvm.core.DkvmException;
import org.dkvm.linux.BoundedStream;

/** A kernel's modules: what belongs in {@code /lib/modules/<release>}. */
final class ModuleDirectory {
    private static final String SUFFIX = ".ko";
    private static final String BUILTIN = "modules.builtin";
    /** Real ones have 30 KiB. */
    private static final int MOST_BUILTIN_BYTES = 4 * 1024 * 1024;

    private static final int MOST_DEPTH = 32;

    private final Path directory;
    private final Map<String, Path> files;
    private final Set<String> builtin;

    private ModuleDirectory(Path directory, Map<String, Path> files, Set<String> builtin) {
        this.directory = directory;
        this.files = files;
        this.builtin = builtin;
    }

    /** Reads which modules there are, and which are part of the kernel's image. */
    static ModuleDirectory read(Path directory, Budget budget) throws DkvmException {
        Map<String, Path> files = new TreeMap<>();
        Set<String> builtin = new HashSet<>();
        try (var walk = Files.walk(directory, MOST_DEPTH)) {
            for (Path file : (Iterable<Path>) walk::iterator) {
                budget.entry();
                String name = file.getFileName().toString();
                // An image's links may lead anywhere.
                if (isModule(name) && Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
                    // Whatever order the filesystem has them in, the first by name counts.
                    files.merge(plainName(name), file, (one, other) -> one.compareTo(other) <= 0 ? one : other);
                }
            }
            Path list = directory.resolve(BUILTIN);
            if (Files.isRegularFile(list, LinkOption.NOFOLLOW_LINKS)) {
                try (InputStream stream = Files.newInputStream(list, LinkOption.NOFOLLOW_LINKS)) {
                    byte[] bytes = stream.readNBytes(MOST_BUILTIN_BYTES);
                    budget.spend(bytes.length);
                    new String(bytes, StandardCharsets.UTF_8).lines().forEach(line -> builtin.add(plainName(line)));
                }
            }
        } catch (IOException | UncheckedIOException e) {
            throw new DkvmException("can not read the modules in \"" + directory + "\": " + e.getMessage(), "", e);
        }
        return new ModuleDirectory(directory, files, builtin);
    }

    /** Whether a file's name is a module's, compressed or not. */
    static boolean isModule(String name) {
        return Compression.ofName(name).stripFrom(name).endsWith(SUFFIX);
    }

    /** A module's name as the kernel has it: without directories and suffixes, and with underscores. */
    static String plainName(String path) {
        String name = path.strip();
        name = name.substring(name.lastIndexOf('/') + 1);
        int suffix = name.indexOf(SUFFIX);
        return (suffix < 0 ? name : name.substring(0, suffix)).replace('-', '_');
    }

    /** The names of the modules that have a file, in the order of the alphabet. */
    Collection<String> names() {
        return files.keySet();
    }

    boolean isBuiltin(String name) {
        return builtin.contains(name);
    }

    Optional<Path> file(String name) {
        return Optional.ofNullable(files.get(name));
    }

    /** Where a module is in this directory, as modules.dep has it. */
    String relative(Path file) {
        return directory.relativize(file).toString();
    }

    /** Puts a module's plain bytes into a file. */
    static void decompress(Path module, Path to, Budget budget) throws DkvmException {
        Compression compression = Compression.ofName(module.getFileName().toString());
        try (InputStream raw = new BufferedInputStream(Files.newInputStream(module, LinkOption.NOFOLLOW_LINKS));
                InputStream plain = budget.file(budget.paid(compression.open(raw)))) {
            Files.copy(plain, to);
        } catch (BoundedStream.Exceeded e) {
            throw new DkvmException("can not take the module \"" + module + "\": " + e.getMessage(), "", e);
        } catch (IOException | RuntimeException e) {
            throw new DkvmException("can not read the module \"" + module + "\": " + e, "fetch the kernel again", e);
        }
    }
}
