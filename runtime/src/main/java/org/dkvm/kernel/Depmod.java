// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.dkvm.core.DkvmException;
import org.dkvm.linux.FileTree;
import org.dkvm.linux.Program;

/**
 * Makes what modprobe(8) in the guest looks up: modules.dep, modules.alias and the like, which most packages leave to their installation.
 *
 * <p>The two text files that busybox's modprobe reads are made here; the host's depmod(8), where there is one that knows how the modules are compressed, makes them anew with
 * the indexes that others read.
 */
public final class Depmod {
    private static final String DEPENDENCIES = "modules.dep";
    /** What libkmod reads. */
    static final String INDEX = "modules.dep.bin";

    private static final String ALIASES = "modules.alias";
    /** depmod(8) wants a number; any is good. */
    private static final String RELEASE = "0.0.0";

    private static final List<String> PLACES = List.of("/usr/sbin", "/usr/bin");

    private Depmod() {}

    /** Runs the host's depmod(8). What it reads is not trusted. */
    @FunctionalInterface
    public interface Indexer {
        /**
         * Runs it to its end.
         *
         * @param program where it is
         * @param base the directory in which it finds the modules in {@code lib/modules/<release>}, and which alone it may write to
         * @return whether it did what it should
         */
        boolean index(Path program, Path base, String release);
    }

    /**
     * Has the host's depmod(8) make all of the files.
     *
     * @return whether it did; else they are as they were
     */
    static boolean runByTheHost(Path modules, Indexer indexer) throws DkvmException {
        return runByTheHost(modules, PLACES, indexer);
    }

    static boolean runByTheHost(Path modules, List<String> places, Indexer indexer) throws DkvmException {
        Optional<Path> program = Program.find("depmod", places);
        try {
            return program.isPresent() && runs(program.get(), modules, indexer);
        } catch (IOException e) {
            throw new DkvmException("can not list the modules in \"" + modules + "\": " + e, "", e);
        }
    }

    /**
     * Makes the two texts in a directory of modules where they are missing.
     *
     * @return whether it came without them
     */
    static boolean complete(Path modules, Budget budget) throws DkvmException {
        try {
            if (isThere(modules)) {
                return false;
            }
            make(modules, budget);
            return true;
        } catch (IOException e) {
            throw new DkvmException("can not list the modules in \"" + modules + "\": " + e, "", e);
        }
    }

    private static boolean isThere(Path modules) throws IOException {
        Path file = modules.resolve(DEPENDENCIES);
        return Files.isRegularFile(file) && Files.size(file) > 0;
    }

    /** It looks below {@code lib/modules/}, so that is where the modules stand meanwhile. */
    private static boolean runs(Path program, Path modules, Indexer indexer) throws IOException {
        Path base = Files.createTempDirectory(modules.toAbsolutePath().resolveSibling("."), ".depmod-");
        Path place = base.resolve("lib/modules").resolve(RELEASE);
        try {
            Files.createDirectories(place.resolveSibling("."));
            Files.move(modules, place);
            boolean done = indexer.index(program, base, RELEASE);
            if (!Files.isDirectory(place, LinkOption.NOFOLLOW_LINKS)) {
                throw new IOException("they are gone");
            }
            Files.move(place, modules);
            FileTree.makeReadable(modules);
            return done && isThere(modules);
        } finally {
            FileTree.delete(base);
        }
    }

    private static void make(Path directory, Budget budget) throws IOException, DkvmException {
        ModuleDirectory modules = ModuleDirectory.read(directory, budget);
        Path plain = Files.createTempFile(directory.toAbsolutePath().resolveSibling("."), ".module-", ".ko");
        Map<String, List<String>> needs = new TreeMap<>();
        try (BufferedWriter aliases = Files.newBufferedWriter(directory.resolve(ALIASES))) {
            for (String name : modules.names()) {
                Path file = modules.file(name).orElseThrow();
                Files.delete(plain);
                ModuleDirectory.decompress(file, plain, budget);
                needs.put(name, ModuleFile.dependencies(plain));
                for (String alias : ModuleFile.values(plain, "alias")) {
                    String line = "alias " + alias + " " + name + "\n";
                    budget.spend(line.length());
                    aliases.write(line);
                }
            }
        } finally {
            Files.deleteIfExists(plain);
        }
        try (BufferedWriter out = Files.newBufferedWriter(directory.resolve(DEPENDENCIES))) {
            for (String name : needs.keySet()) {
                StringBuilder line =
                        new StringBuilder(modules.relative(modules.file(name).orElseThrow()) + ":");
                for (String needed : allNeeded(name, needs)) {
                    budget.spend(needed.length());
                    line.append(' ')
                            .append(modules.relative(modules.file(needed).orElseThrow()));
                }
                out.write(line.append('\n').toString());
            }
        }
    }

    /** All that a module needs and that has a file, the one to load first at the end. A circle is gone round once. */
    private static List<String> allNeeded(String name, Map<String, List<String>> needs) {
        Set<String> entered = new HashSet<>();
        Set<String> inOrder = new LinkedHashSet<>();
        Deque<String> ahead = new ArrayDeque<>(List.of(name));
        while (!ahead.isEmpty()) {
            String next = ahead.peek();
            if (entered.add(next)) {
                needs.getOrDefault(next, List.of()).stream()
                        .filter(needed -> needs.containsKey(needed) && !entered.contains(needed))
                        .forEach(ahead::push);
            } else {
                inOrder.add(ahead.pop());
            }
        }
        inOrder.remove(name);
        return new ArrayList<>(inOrder).reversed();
    }
}
