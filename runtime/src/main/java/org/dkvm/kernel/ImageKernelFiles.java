// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;

/** Makes what a VM boots of an image's kernel and modules. They are not trusted: nothing of them is followed or run, and all of it has bounds. */
public final class ImageKernelFiles {
    static final String IMAGE = "vmlinuz";

    /** What is made, in one directory. */
    public static final List<String> NAMES = List.of(IMAGE, "initramfs", "initramfs-more");

    private ImageKernelFiles() {}

    /**
     * Makes the files; they may be there already, and are written over.
     *
     * @param kernel a {@code vmlinuz}
     * @param modules what is in the image's {@code /lib/modules/<release>}
     * @param layout the package, whose agent goes into the initramfs
     * @param work a directory for modules that are plain meanwhile
     */
    public static void make(Path kernel, Path modules, PackageLayout layout, Path work, Path out) throws DkvmException {
        make(kernel, modules, layout, work, out, Bounds.IMAGE);
    }

    static void make(Path kernel, Path modules, PackageLayout layout, Path work, Path out, Bounds bounds)
            throws DkvmException {
        Budget budget = new Budget(bounds);
        Path image = out.resolve(IMAGE);
        try {
            copy(kernel, image, budget);
            Initramfs.writeBoth(modules, layout.agent(KernelImage.of(image).architecture()), out, work, budget);
        } catch (IOException e) {
            throw new DkvmException("can not take the kernel \"" + kernel + "\": " + e.getMessage(), "", e);
        }
    }

    private static void copy(Path kernel, Path to, Budget budget) throws IOException, DkvmException {
        long most = budget.bounds().fileBytes();
        if (!Files.isRegularFile(kernel, LinkOption.NOFOLLOW_LINKS) || Files.size(kernel) > most) {
            throw new DkvmException("\"" + kernel + "\" is no file of at most " + most + " bytes", "");
        }
        try (InputStream in = budget.file(budget.paid(Files.newInputStream(kernel, LinkOption.NOFOLLOW_LINKS)));
                OutputStream file = Files.newOutputStream(to)) {
            in.transferTo(file);
        }
    }
}
