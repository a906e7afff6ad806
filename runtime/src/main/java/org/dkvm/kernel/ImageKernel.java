// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
     * An image's files before its container runs.
     *
     * @param directory its root on the host
     * @param tree the same, to find paths in
     */
    public record ImageRoot(Path directory, RootedTree tree) {
        /** An image at that directory of the host. */
        public static ImageRoot of(Path directory) {
            return new ImageRoot(directory, new RootedTree(directory));
        }

        /** A regular file, on the host: links are followed, but never out of the image. */
        public Optional<Path> file(String path) {
            return find(path, RootedTree.Kind.FILE);
        }

        /** A directory, likewise. */
        Optional<Path> directory(String path) {
            return find(path, RootedTree.Kind.DIRECTORY);
        }

        private Optional<Path> find(String path, RootedTree.Kind kind) {
            RootedTree.Found found = tree.find(path);
            return found.kind() == kind
                    ? Optional.of(directory.resolve(found.path().substring(1)))
                    : Optional.empty();
        }

        Distribution distribution() {
            return Distribution.of(tree, directory);
        }
    }
}
