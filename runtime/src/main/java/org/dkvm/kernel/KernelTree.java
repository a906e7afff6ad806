// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PlainName;

/**
 * Where the parts of a kernel are in a directory: laid out as a root filesystem is, or flat as DKVM's own kernels are.
 *
 * @param image the image
 * @param format what the image is
 * @param config the configuration it was built with; need not exist
 * @param modules what belongs in {@code /lib/modules/<release>}
 * @param release that release; empty where the directory does not tell
 */
record KernelTree(Path image, KernelImage format, Path config, Path modules, String release) {
    private static final List<String> MODULE_PARENTS = List.of("lib/modules", "usr/lib/modules");

    /**
     * Looks for a kernel.
     *
     * @param wanted the version that is chosen where the directory has several kernels
     */
    static KernelTree find(Path directory, String wanted) throws DkvmException {
        try {
            Path modules = modules(directory, wanted);
            boolean flat = modules.equals(directory.resolve("modules"));
            String release = flat ? "" : String.valueOf(modules.getFileName());
            Path image = image(directory, modules, flat, release);
            Path config = first(List.of(
                    directory.resolve("boot/config-" + release),
                    modules.resolve("config"),
                    directory.resolve(flat ? "config" : "boot/config")));
            return new KernelTree(image, KernelImage.of(image), config, modules, release);
        } catch (IOException e) {
            throw new DkvmException("can not look for a kernel in \"" + directory + "\": " + e, "", e);
        }
    }

    private static Path modules(Path directory, String wanted) throws IOException, DkvmException {
        Path flat = directory.resolve("modules");
        // lib may be a link to usr/lib.
        Set<Path> releases = new TreeSet<>();
        for (String parent : MODULE_PARENTS) {
            for (Path release : list(directory.resolve(parent), PlainName::isValid)) {
                if (Files.isDirectory(release)) {
                    releases.add(release.toRealPath());
                }
            }
        }
        if (releases.isEmpty() && Files.isDirectory(flat)) {
            return flat;
        }
        if (releases.isEmpty()) {
            throw new DkvmException(
                    "no modules found",
                    "where a distribution has the modules in a package of their own, give that one, too: --from again");
        }
        for (Path release : releases) {
            if (release.endsWith(wanted)) {
                return release;
            }
        }
        if (releases.size() > 1) {
            throw new DkvmException(
                    "it has several kernels: "
                            + String.join(
                                    ", ",
                                    releases.stream().map(KernelTree::name).toList()),
                    "give the one you want as <version>");
        }
        return releases.iterator().next();
    }

    private static Path image(Path directory, Path modules, boolean flat, String release)
            throws IOException, DkvmException {
        Path boot = directory.resolve("boot");
        List<Path> usual = flat
                ? List.of(directory.resolve("vmlinuz"), directory.resolve("vmlinux"))
                : List.of(
                        boot.resolve("vmlinuz-" + release),
                        modules.resolve("vmlinuz"),
                        boot.resolve("vmlinux-" + release));
        Path found = first(usual);
        if (Files.isRegularFile(found)) {
            return found;
        }
        // Alpine's have the flavour's name only.
        List<Path> others = list(boot, name -> name.startsWith("vmlinuz") || name.startsWith("vmlinux"));
        if (others.size() == 1 && Files.isRegularFile(others.getFirst())) {
            return others.getFirst();
        }
        throw new DkvmException(
                others.isEmpty()
                        ? "no kernel image found"
                        : "none of its images belongs to the modules of " + name(modules) + ": "
                                + String.join(
                                        ", ",
                                        others.stream().map(KernelTree::name).toList()),
                "give the package that has the vmlinuz, too: --from again");
    }

    /** The first that is there, else the last. */
    private static Path first(List<Path> files) {
        for (Path file : files) {
            if (Files.isRegularFile(file)) {
                return file;
            }
        }
        return files.getLast();
    }

    private static String name(Path path) {
        return String.valueOf(path.getFileName());
    }

    /** What is in a directory by name; nothing where there is none. */
    private static List<Path> list(Path directory, Predicate<String> names) throws IOException {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (var entries = Files.list(directory)) {
            return entries.filter(entry -> names.test(name(entry))).sorted().toList();
        }
    }
}
