// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.dkvm.core.Architecture;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PlainName;

/**
 * The package's guest kernels: {@code <dist>/<version>/} with an image and an initramfs, {@code <dist>/latest} a link to one of them. A distribution's kernels for a foreign architecture are those of {@code <dist>-<architecture>}.
 */
public final class KernelStore {
    private static final String LATEST = "latest";

    /** In a kernel's directory: its release, where the directory's name is another. */
    public static final String RELEASE_FILE = "release";

    private final Path directory;

    public KernelStore(Path directory) {
        this.directory = directory;
    }

    /**
     * A kernel that is there.
     *
     * @param name {@code <dist>/<version>}, the version behind {@code latest}
     * @param architecture what it is built for
     * @param directory where its files are, without links
     * @param image the image's file name: {@code vmlinux} or {@code vmlinuz}
     * @param release as uname(1) prints it
     */
    public record Found(String name, Architecture architecture, Path directory, String image, String release) {
        /** What belongs in {@code /lib/modules/<release>}; it need not be there. */
        public Path modules() {
            return directory.resolve("modules");
        }

        /** Whether the container's image brought it along. */
        public boolean isOfImage() {
            return name.startsWith(ImageKernelCache.DIST + "/");
        }
    }

    /** Whether there is a kernel by {@code <dist>[/<version>]}. */
    boolean has(String name) {
        String dist = dist(name);
        String version = version(name);
        return PlainName.isValid(dist)
                && PlainName.isValid(version)
                && Files.exists(directory.resolve(dist).resolve(version));
    }

    /** The distribution in {@code <dist>[/<version>]}. */
    static String dist(String name) {
        int slash = name.indexOf('/');
        return slash < 0 ? name : name.substring(0, slash);
    }

    private static String version(String name) {
        int slash = name.indexOf('/');
        return slash < 0 ? LATEST : name.substring(slash + 1);
    }

    /** Finds a kernel by {@code <dist>[/<version>]}. */
    public Found find(String name) throws DkvmException {
        String dist = dist(name);
        String version = version(name);
        if (!PlainName.isValid(dist) || !PlainName.isValid(version)) {
            throw new DkvmException("kernel \"" + name + "\" is not a name of the form <dist>[/<version>]", advice());
        }
        Path kernel;
        try {
            kernel = directory.resolve(dist).resolve(version).toRealPath();
            if (!kernel.startsWith(directory.toRealPath())) {
                throw new DkvmException("kernel \"" + name + "\" leads out of " + directory, advice());
            }
        } catch (IOException e) {
            throw new DkvmException("kernel \"" + name + "\" not found in " + directory, advice(), e);
        }
        String image = Files.isRegularFile(kernel.resolve("vmlinux")) ? "vmlinux" : "vmlinuz";
        if (!Files.isRegularFile(kernel.resolve(image))) {
            throw new DkvmException("kernel \"" + name + "\" has neither vmlinux nor vmlinuz in " + kernel, advice());
        }
        return new Found(
                dist + "/" + kernel.getFileName(), Architecture.ofKernels(dist), kernel, image, release(kernel));
    }

    /** A kernel may be kept under another name than its own; then a file tells. */
    private static String release(Path kernel) throws DkvmException {
        Path file = kernel.resolve(RELEASE_FILE);
        String release = kernel.getFileName().toString();
        if (Files.exists(file)) {
            try {
                release = Files.readString(file).strip();
            } catch (IOException e) {
                throw new DkvmException("\"" + file + "\" can not be read: " + e.getMessage(), "", e);
            }
        }
        if (!PlainName.isValid(release)) {
            throw new DkvmException("\"" + file + "\" has no kernel release: \"" + release + "\"", "");
        }
        return release;
    }

    private static String advice() {
        return "\"dkvm kernel ls\" lists them";
    }
}
