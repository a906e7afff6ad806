// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
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
 * <p>The host's depmod(8) does it; where there is none, or it does not know how the modules are compressed, the two text files that busybox's modprobe reads are made here.
 */
public final class Depmod {
    private static final String DEPENDENCIES = "modules.dep";
    private static final String ALIASES = "modules.alias";
    /** depmod(8) wants a number; any is good. */
    private static final String RELEASE = "0.0.0";

    private static final List<String> PLACES = List.of("/usr/sbin", "/sbin", "/usr/bin", "/bin");
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    private Depmod() {}

    /** How the files came about. */
    public enum Made {
        /** They came with the modules. */
        SHIPPED,
        BY_THE_HOST,
        /** Only the texts. */
        HERE
    }

    /** Makes the files in a directory of modules where they are missing. */
    static Made complete(Path modules) throws DkvmException {
        return complete(modules, PLACES);
    }

    static Made complete(Path modules, List<String> places) throws DkvmException {
        try {
            if (isThere(modules)) {
                return Made.SHIPPED;
            }
            Optional<Path> program = Program.find("depmod", places);
            if (program.isPresent() && runs(program.get(), modules)) {
                return Made.BY_THE_HOST;
            }
            make(modules);
            return Made.HERE;
        } catch (IOException e) {
            throw new DkvmException("can not list the modules in \"" + modules + "\": " + e, "", e);
        }
    }

    private static boolean isThere(Path modules) throws IOException {
        Path file = modules.resolve(DEPENDENCIES);
        return Files.isRegularFile(file) && Files.size(file) > 0;
    }

    /** It looks below {@code lib/modules/}, so that is where the modules stand meanwhile. */
    private static boolean runs(Path program, Path modules) throws IOException {
        Path base = Files.createTempDirectory(modules.toAbsolutePath().resolveSibling("."), ".depmod-");
        Path place = base.resolve("lib/modules").resolve(RELEASE);
        try {
            Files.createDirectories(place.resolveSibling("."));
            Files.move(modules, place);
            Program.Result result = Program.run(List.of(program.toString(), "-b", base.toString(), RELEASE), PATIENCE);
            Files.move(place, modules);
            return result.code() == 0 && isThere(modules);
        } finally {
            FileTree.delete(base);
        }
    }

    private static void make(Path directory) throws IOException, DkvmException {
        ModuleDirectory modules = ModuleDirectory.read(directory);
        Path plain = Files.createTempFile(directory.toAbsolutePath().resolveSibling("."), ".module-", ".ko");
        Map<String, List<String>> needs = new TreeMap<>();
        try (BufferedWriter aliases = Files.newBufferedWriter(directory.resolve(ALIASES))) {
            for (String name : modules.names()) {
                Path file = modules.file(name).orElseThrow();
                Files.delete(plain);
                ModuleDirectory.decompress(file, plain);
                needs.put(name, ModuleFile.dependencies(plain));
                for (String alias : ModuleFile.values(plain, "alias")) {
                    aliases.write("alias " + alias + " " + name + "\n");
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
