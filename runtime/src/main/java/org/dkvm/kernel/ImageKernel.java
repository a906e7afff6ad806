// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PlainName;
import org.dkvm.linux.RootedReader;
import org.dkvm.linux.RootedTree;

/**
 * A kernel that an image brings along, at its distribution's place.
 *
 * @param image the image it is in
 * @param file the kernel, on the host, without links
 */
public record ImageKernel(ImageRoot image, Path file) {
    /** Where distributions have a kernel and its initial root filesystem. Both must be there; the latter is not used. */
    private record Place(String kernel, String initrd) {}

    static final String MODULES = "/lib/modules";

    private static final String NAME = "vmlinuz-";

    private static final Map<String, Place> PLACES = Map.of(
            "debian", new Place("/vmlinuz", "/initrd.img"),
            "ubuntu", new Place("/boot/vmlinuz", "/boot/initrd.img"),
            "alpine", new Place("/boot/vmlinuz-virt", "/boot/initramfs-virt"));

    /** The kernel of an image, if it has one. */
    static Optional<ImageKernel> find(ImageRoot image, List<String> distributions) {
        for (String distribution : distributions) {
            Place place = PLACES.get(distribution);
            if (place != null && image.file(place.initrd).isPresent()) {
                Optional<Path> kernel = image.file(place.kernel);
                if (kernel.isPresent()) {
                    return Optional.of(new ImageKernel(image, kernel.get()));
                }
            }
        }
        return Optional.empty();
    }

    /**
     * Its release, as uname(1) would print it. An image for arm64 does not tell; then it is what the file is named after, or that of the only modules there are.
     */
    String release(KernelImage format) throws DkvmException {
        return switch (format) {
            case BZIMAGE, ELF -> KernelImage.release(file.toString(), image.start(file));
            case ARM64_IMAGE -> releaseByName();
        };
    }

    private String releaseByName() throws DkvmException {
        String name = String.valueOf(file.getFileName());
        String named = name.startsWith(NAME) ? name.substring(NAME.length()) : "";
        if (PlainName.isValid(named) && image.directory(MODULES + "/" + named).isPresent()) {
            return named;
        }
        List<String> releases = image.names(MODULES);
        if (releases.size() != 1) {
            throw new DkvmException(
                    "the image's kernel \"" + name + "\" does not tell its release, and \"" + MODULES + "\" has "
                            + (releases.isEmpty() ? "none" : "several"),
                    "name it " + NAME + "<release>");
        }
        return releases.getFirst();
    }

    /**
     * An image's files before its container runs.
     *
     * @param directory its root on the host
     * @param tree the same, to find paths in
     */
    public record ImageRoot(Path directory, RootedTree tree) {
        /**
         * An image at that directory of the host.
         *
         * @param reader by which they are looked at
         */
        public static ImageRoot of(Path directory, RootedReader reader) {
            return new ImageRoot(directory, new RootedTree(directory, reader));
        }

        /** The beginning of a kernel that {@link #file} gave. */
        byte[] start(Path kernel) {
            return tree.head(tree.find("/" + directory.relativize(kernel)), KernelImage.MOST_START);
        }

        /** A regular file, on the host: links are followed, but never out of the image. */
        public Optional<Path> file(String path) {
            return find(path, RootedTree.Kind.FILE);
        }

        /** A directory, likewise. */
        Optional<Path> directory(String path) {
            return find(path, RootedTree.Kind.DIRECTORY);
        }

        /** The usable names in a directory, or as many of them as show that there are several. */
        List<String> names(String path) {
            List<String> names = new ArrayList<>();
            Optional<Path> found = directory(path);
            if (found.isPresent()) {
                try (DirectoryStream<Path> entries = Files.newDirectoryStream(found.get())) {
                    for (Path entry : entries) {
                        String name = String.valueOf(entry.getFileName());
                        if (PlainName.isValid(name)) {
                            names.add(name);
                        }
                        if (names.size() > 1) {
                            break;
                        }
                    }
                } catch (IOException | DirectoryIteratorException e) {
                    // As good as none.
                    return List.of();
                }
            }
            return names;
        }

        private Optional<Path> find(String path, RootedTree.Kind kind) {
            RootedTree.Found found = tree.find(path);
            return found.kind() == kind
                    ? Optional.of(directory.resolve(found.path().substring(1)))
                    : Optional.empty();
        }

        Distribution distribution() {
            return Distribution.of(tree);
        }
    }
}
