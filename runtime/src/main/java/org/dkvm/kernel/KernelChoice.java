// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.util.List;
import java.util.Optional;
import org.dkvm.core.Architecture;
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
     * @param image the image, on the host
     * @param architecture what the image is built for
     */
    public KernelStore.Found choose(
            String asked, String byDefault, ImageKernel.ImageRoot image, Architecture architecture)
            throws DkvmException {
        if (!asked.isEmpty()) {
            return find(asked, architecture);
        }
        Distribution distribution = image.distribution();
        Optional<ImageKernel> own = ImageKernel.find(image, distribution.names());
        if (own.isPresent()) {
            return images.prepare(own.get(), architecture);
        }
        if (MATCH.equals(byDefault)) {
            return matching(distribution.names(), architecture);
        }
        // A version is one of the host's architecture.
        return architecture.isForeign()
                ? matching(List.of(KernelStore.dist(byDefault)), architecture)
                : find(byDefault, architecture);
    }

    /** The packaged kernel that a configured default means in the end. */
    public static String packaged(String byDefault) {
        return MATCH.equals(byDefault) ? DEBIAN : byDefault;
    }

    /** The latest one of the first distribution that has any, else Debian's. */
    private KernelStore.Found matching(List<String> distributions, Architecture architecture) throws DkvmException {
        for (String distribution : distributions) {
            String name = distribution + architecture.kernelSuffix();
            if (store.has(name)) {
                return find(name, architecture);
            }
        }
        return store.find(DEBIAN + architecture.kernelSuffix());
    }

    /** The kernel by a name; a distribution's name means its kernels for the image's architecture, where it has any. */
    private KernelStore.Found find(String name, Architecture architecture) throws DkvmException {
        String dist = KernelStore.dist(name);
        String suited = dist + architecture.kernelSuffix() + name.substring(dist.length());
        KernelStore.Found found = store.find(architecture.isForeign() && store.has(suited) ? suited : name);
        if (found.architecture() != architecture) {
            throw new DkvmException(
                    "kernel \"" + found.name() + "\" is for "
                            + found.architecture().label() + ", the image for " + architecture.label(),
                    "DKVM_KERNEL=" + DEBIAN + " boots Debian's for " + architecture.label()
                            + "; \"dkvm kernel ls\" lists all");
        }
        return found;
    }
}
