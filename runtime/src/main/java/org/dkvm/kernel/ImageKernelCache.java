// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.dkvm.core.Architecture;
import org.dkvm.core.DkvmException;
import org.dkvm.linux.Program;

/**
 * Kernels of images as VMs boot them: a copy of the kernel, and an initramfs of DKVM's own with the image's modules. Made once for each image, by {@code dkvm kernel
 * of-image}: reading modules takes libraries that the engine's way has no time to load.
 */
public final class ImageKernelCache {
    /** Where they are kept. */
    public static final Path DIRECTORY = Path.of("/var/cache/dkvm/kernels");

    /** What a kernel of an image is called where a packaged one has its distribution. */
    static final String DIST = "image";

    private static final Duration PATIENCE = Duration.ofSeconds(100);

    private final Path directory;
    private final Path home;

    /**
     * A cache.
     *
     * @param home the package, whose agent goes into the initramfs
     */
    public ImageKernelCache(Path directory, Path home) {
        this.directory = directory;
        this.home = home;
    }

    /**
     * The kernel, made if it is not there.
     *
     * @param architecture what the image is built for
     */
    KernelStore.Found prepare(ImageKernel kernel, Architecture architecture) throws DkvmException {
        String instead = instead(architecture);
        KernelImage format = format(kernel.file());
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
        Path entry = directory.resolve(key(kernel.file(), modules));
        try {
            if (Files.isDirectory(entry)) {
                // The ones that nobody used for long go first.
                Files.setLastModifiedTime(entry, FileTime.fromMillis(System.currentTimeMillis()));
            } else {
                make(kernel.file(), modules, entry, instead);
            }
        } catch (IOException e) {
            throw new DkvmException("can not keep the image's kernel in \"" + directory + "\": " + e, "", e);
        }
        return new KernelStore.Found(DIST + "/" + release, architecture, entry, format.fileName(), release);
    }

    private static String instead(Architecture architecture) {
        return architecture.isForeign()
                ? "DKVM_KERNEL=debian boots Debian's for " + architecture.label() + " instead"
                : "DKVM_KERNEL=dkvm boots DKVM's own kernel instead";
    }

    private static KernelImage format(Path kernel) throws DkvmException {
        try {
            return KernelImage.of(kernel);
        } catch (IOException e) {
            throw new DkvmException("kernel \"" + kernel + "\" can not be read: " + e.getMessage(), "", e);
        }
    }

    private void make(Path kernel, Path modules, Path entry, String instead) throws DkvmException {
        Program.Result result = Program.run(
                List.of(
                        home.resolve("bin/dkvm").toString(),
                        "kernel",
                        "of-image",
                        kernel.toString(),
                        modules.toString(),
                        entry.toString()),
                PATIENCE);
        if (result.code() != 0 || !Files.isDirectory(entry)) {
            throw new DkvmException("the image's kernel can not be used: " + result.output(), instead);
        }
    }

    /**
     * Names what the entry is made of. Content would take long to read; an inode's number and the time of its last change are the host's own word, which no image can
     * forge.
     */
    private String key(Path kernel, Path modules) throws DkvmException {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            add(digest, home.resolve("BUILD"));
            add(digest, kernel);
            try (Stream<Path> files = Files.walk(modules)) {
                for (Path file : (Iterable<Path>) files.sorted()::iterator) {
                    add(digest, file);
                }
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (IOException | NoSuchAlgorithmException e) {
            throw new DkvmException("the image's modules in \"" + modules + "\" can not be read: " + e, "", e);
        }
    }

    private static void add(MessageDigest digest, Path file) throws IOException {
        Map<String, Object> about = Files.readAttributes(file, "unix:ino,ctime,size,mode", LinkOption.NOFOLLOW_LINKS);
        String line = file.getFileName() + " " + about.get("ino") + " " + about.get("ctime") + " " + about.get("size")
                + " " + about.get("mode") + "\n";
        digest.update(line.getBytes(StandardCharsets.UTF_8));
    }
}
