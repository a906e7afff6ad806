// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.linux.FileTree;

/** Makes an entry of {@link ImageKernelCache}. What the image holds is not trusted: nothing of it is followed or run, and all of it has bounds. */
public final class ImageKernelEntry {
    /** An entry has some 20 MiB. VMs that run do not need theirs any more. */
    private static final int MOST_ENTRIES = 16;

    /** More than any real kernel has. */
    private static final long MOST_KERNEL_BYTES = 256L * 1024 * 1024;

    private ImageKernelEntry() {}

    /**
     * Makes the entry, all or nothing; one that is there already stays.
     *
     * @param kernel a {@code vmlinuz}
     * @param modules what is in the image's {@code /lib/modules/<release>}
     * @param layout the package, whose agent goes into the initramfs
     */
    public static void make(Path kernel, Path modules, PackageLayout layout, Path entry) throws DkvmException {
        try {
            Path parent =
                    Files.createDirectories(entry.toAbsolutePath().normalize().resolveSibling("."));
            Path making = Files.createTempDirectory(parent, ".making-");
            try {
                Path image = making.resolve("vmlinuz");
                copy(kernel, image);
                Initramfs.writeBoth(modules, layout.agent(KernelImage.of(image).architecture()), making);
                FileTree.makeReadable(making);
                Files.move(making, entry, StandardCopyOption.ATOMIC_MOVE);
            } catch (FileAlreadyExistsException | DirectoryNotEmptyException ignored) {
                // Another container of the same image was faster: its entry stays.
            } finally {
                FileTree.delete(making);
            }
            prune(parent);
        } catch (IOException e) {
            throw new DkvmException("can not make \"" + entry + "\": " + e, "", e);
        }
    }

    private static void copy(Path kernel, Path to) throws IOException, DkvmException {
        if (!Files.isRegularFile(kernel, LinkOption.NOFOLLOW_LINKS) || Files.size(kernel) > MOST_KERNEL_BYTES) {
            throw new DkvmException("\"" + kernel + "\" is no file of at most " + MOST_KERNEL_BYTES + " bytes", "");
        }
        Files.copy(kernel, to, LinkOption.NOFOLLOW_LINKS);
    }

    private static void prune(Path parent) throws IOException {
        List<Path> entries = new ArrayList<>();
        try (Stream<Path> all = Files.list(parent)) {
            all.filter(path -> !path.getFileName().toString().startsWith(".")).forEach(entries::add);
        }
        entries.sort(Comparator.comparingLong(path -> path.toFile().lastModified()));
        for (int i = 0; i < entries.size() - MOST_ENTRIES; i++) {
            FileTree.delete(entries.get(i));
        }
    }
}
