// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.dkvm.core.Architecture;
import org.dkvm.core.DkvmException;
import org.dkvm.linux.OwnedDirectory;
import org.dkvm.linux.StatePlaces;

/**
 * Kernels of images as VMs boot them: a copy of the kernel, and an initramfs of DKVM's own with the image's modules. Made once for each image, in a sandbox: reading
 * modules takes libraries that the engine's way has no time to load, and is nothing to do with the host's rights.
 */
public final class ImageKernelCache {
    /** Where they are kept. */
    public static final Path DIRECTORY = StatePlaces.cache().resolve("kernels");

    /** What a kernel of an image is called where a packaged one has its distribution. */
    static final String DIST = "image";

    private static final String MAKING = ".making-";
    private static final int MOST_DEPTH = 32;

    /** Reads an image's kernel and modules where that can do no harm. */
    @FunctionalInterface
    public interface Maker {
        /**
         * Writes {@link ImageKernelFiles#NAMES}.
         *
         * @param root the image's root filesystem, on the host
         * @param kernel the kernel's path in the image, without links
         * @param modules the same of its modules
         * @param out a directory
         */
        void make(Path root, String kernel, String modules, Path out) throws DkvmException;
    }

    private final Path directory;
    private final Path home;
    private final Maker maker;

    /**
     * A cache.
     *
     * @param home the package, whose agent goes into the initramfs
     */
    public ImageKernelCache(Path directory, Path home, Maker maker) {
        this.directory = directory;
        this.home = home;
        this.maker = maker;
    }

    /** Removes what a killed process left in the cache; what is being made stays. */
    public static void sweep(Path directory) throws DkvmException {
        try {
            OwnedDirectory.sweep(directory, MAKING, left -> {});
        } catch (IOException e) {
            throw new DkvmException("can not clean up in \"" + directory + "\": " + e, "", e);
        }
    }

    /**
     * The kernel, made if it is not there.
     *
     * @param architecture what the image is built for
     */
    KernelStore.Found prepare(ImageKernel kernel, Architecture architecture) throws DkvmException {
        String instead = instead(architecture);
        KernelImage format = format(kernel);
        if (format.architecture() != architecture) {
            throw new DkvmException(
                    "the image's kernel is for " + format.architecture().label() + ", the image for "
                            + architecture.label(),
                    instead);
        }
        String release = kernel.release(format);
        String place = ImageKernel.MODULES + "/" + release;
        Path modules = kernel.image()
                .directory(place)
                .orElseThrow(() -> new DkvmException(
                        "the image's kernel \"" + release + "\" has no modules in \"" + place + "\"", instead));
        CacheShelf shelf = new CacheShelf(directory);
        try {
            String identity = identity(kernel.file(), modules, place, instead);
            Path entry = shelf.find(identity);
            if (Files.isDirectory(entry)) {
                // The ones that nobody used for long go first.
                Files.setLastModifiedTime(entry, FileTime.fromMillis(System.currentTimeMillis()));
            } else {
                entry = make(kernel, modules, shelf, identity, instead);
            }
            return new KernelStore.Found(DIST + "/" + release, architecture, entry, format.fileName(), release);
        } catch (IOException e) {
            throw new DkvmException("can not keep the image's kernel in \"" + directory + "\": " + e, "", e);
        }
    }

    private static String instead(Architecture architecture) {
        return architecture.isForeign()
                ? "DKVM_KERNEL=debian boots Debian's for " + architecture.label() + " instead"
                : "DKVM_KERNEL=dkvm boots DKVM's own kernel instead";
    }

    private static KernelImage format(ImageKernel kernel) throws DkvmException {
        try {
            return KernelImage.of(
                    String.valueOf(kernel.file().getFileName()), kernel.image().start(kernel.file()));
        } catch (IOException e) {
            throw new DkvmException("kernel \"" + kernel.file() + "\" can not be read: " + e.getMessage(), "", e);
        }
    }

    private Path make(ImageKernel kernel, Path modules, CacheShelf shelf, String identity, String instead)
            throws DkvmException, IOException {
        Files.createDirectories(directory);
        sweep(directory);
        try (OwnedDirectory making = OwnedDirectory.make(directory, MAKING)) {
            Path root = kernel.image().directory();
            Path out = Files.createDirectory(making.path().resolve("entry"));
            try {
                maker.make(root, inImage(root, kernel.file()), inImage(root, modules), out);
            } catch (DkvmException e) {
                throw new DkvmException("the image's kernel can not be used: " + e.getMessage(), instead, e);
            }
            return shelf.keep(out, identity);
        }
    }

    private static String inImage(Path root, Path file) {
        return "/" + root.relativize(file);
    }

    /**
     * Names the very files that an entry is made of. Content would take long to read; an inode's number and the time of its last change are the host's own word, which no image
     * can forge. A guest that touches them has the entry made again, which is then found to be there.
     */
    private String identity(Path kernel, Path modules, String place, String instead) throws DkvmException, IOException {
        Budget budget = new Budget(Bounds.IMAGE);
        List<Path> files = new ArrayList<>();
        try (Stream<Path> walk = Files.walk(modules, MOST_DEPTH)) {
            for (Path file : (Iterable<Path>) walk::iterator) {
                budget.entry();
                if (isRead(file.getFileName().toString())) {
                    files.add(file);
                }
            }
            files.sort(null);
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            add(digest, "BUILD", home.resolve("BUILD"));
            add(digest, "vmlinuz", kernel);
            for (Path file : files) {
                add(digest, modules.relativize(file).toString(), file);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (DkvmException e) {
            throw new DkvmException("the image's \"" + place + "\" can not be used: " + e.getMessage(), instead, e);
        } catch (UncheckedIOException | NoSuchAlgorithmException e) {
            throw new DkvmException("the image's \"" + place + "\" can not be read: " + e, instead, e);
        }
    }

    /** Whether what is made depends on a file of this name. What reads modules is not on the engine's class path. */
    private static boolean isRead(String name) {
        return name.contains(".ko") || "modules.builtin".equals(name);
    }

    private static void add(MessageDigest digest, String name, Path file) throws IOException {
        Map<String, Object> about = Files.readAttributes(file, "unix:ino,ctime,size,mode", LinkOption.NOFOLLOW_LINKS);
        String line = name + " " + about.get("ino") + " " + about.get("ctime") + " " + about.get("size") + " "
                + about.get("mode") + "\n";
        digest.update(line.getBytes(StandardCharsets.UTF_8));
    }
}
