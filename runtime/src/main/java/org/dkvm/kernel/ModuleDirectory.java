// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
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

/** A kernel's modules: what belongs in {@code /lib/modules/<release>}. */
final class ModuleDirectory {
    private static final String SUFFIX = ".ko";
    private static final String BUILTIN = "modules.builtin";
    /** Many times what a distribution's largest module has. */
    private static final long MAX_MODULE_BYTES = 256L * 1024 * 1024;

    private final Path directory;
    private final Map<String, Path> files;
    private final Set<String> builtin;

    private ModuleDirectory(Path directory, Map<String, Path> files, Set<String> builtin) {
        this.directory = directory;
        this.files = files;
        this.builtin = builtin;
    }

    /** Reads which modules there are, and which are part of the kernel's image. */
    static ModuleDirectory read(Path directory) throws DkvmException {
        Map<String, Path> files = new TreeMap<>();
        Set<String> builtin = new HashSet<>();
        try (var walk = Files.walk(directory)) {
            // An image's links may lead anywhere.
            walk.filter(file -> Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS))
                    .filter(file -> isModule(file.getFileName().toString()))
                    .sorted()
                    .forEach(file ->
                            files.putIfAbsent(plainName(file.getFileName().toString()), file));
            if (Files.isRegularFile(directory.resolve(BUILTIN), LinkOption.NOFOLLOW_LINKS)) {
                try (var lines = Files.lines(directory.resolve(BUILTIN))) {
                    lines.forEach(line -> builtin.add(plainName(line)));
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
    static void decompress(Path module, Path to) throws DkvmException {
        Compression compression = Compression.ofName(module.getFileName().toString());
        try (InputStream raw = new BufferedInputStream(Files.newInputStream(module));
                InputStream plain = new BoundedStream(compression.open(raw), MAX_MODULE_BYTES)) {
            Files.copy(plain, to);
        } catch (IOException | RuntimeException e) {
            throw new DkvmException("can not read the module \"" + module + "\": " + e, "fetch the kernel again", e);
        }
    }
}
