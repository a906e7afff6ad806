// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.nio.file.Path;
import java.util.Optional;
import org.dkvm.core.DkvmException;

/** Chooses the kernel a VM boots: the container's own word, else the image's own kernel, else the host's default. */
public final class KernelChoice {
    /** The default that goes by the image's distribution. */
    public static final String MATCH = "match";

    /** What {@link #MATCH} ends in. */
    private static final String DEBIAN = "debian";

    private final KernelStore store;
    private final ImageKernelCache images;

    public KernelChoice(KernelStore store, ImageKernelCache images) {
        this.store = store;
        this.images = images;
    }

    /**
     * The kernel.
     *
     * @param asked {@code DKVM_KERNEL}; empty when not given
     * @param byDefault the configuration's {@code kernel}
     * @param root the image's root filesystem, on the host
     */
    public KernelStore.Found choose(String asked, String byDefault, Path root) throws DkvmException {
        if (!asked.isEmpty()) {
            return store.find(asked);
        }
        ImageKernel.ImageRoot image = ImageKernel.ImageRoot.of(root);
        Distribution distribution = image.distribution();
        Optional<ImageKernel> own = ImageKernel.find(image, distribution.names());
        if (own.isPresent()) {
            return images.prepare(own.get());
        }
        return MATCH.equals(byDefault) ? matching(distribution) : store.find(byDefault);
    }

    /** The packaged kernel that a configured default means in the end. */
    public static String packaged(String byDefault) {
        return MATCH.equals(byDefault) ? DEBIAN : byDefault;
    }

    private KernelStore.Found matching(Distribution distribution) throws DkvmException {
        for (String name : distribution.names()) {
            if (store.has(name)) {
                return store.find(name);
            }
        }
        return store.find(DEBIAN);
    }
}
