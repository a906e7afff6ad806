// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import org.dkvm.core.Architecture;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PlainName;

/**
 * A kernel's name, {@code <dist>/<version>}.
 *
 * @param dist whose kernel it is: {@code debian}, {@code alpine} …; for a foreign architecture with its name behind, {@code debian-arm64}
 * @param version one of that distribution's, never {@code latest}
 */
public record KernelName(String dist, String version) {
    /** The name of the link to a distribution's newest kernel. */
    public static final String LATEST = "latest";

    private static final int MAX_LENGTH = 128;

    public KernelName {
        if (!isUsable(dist) || !isUsable(version) || LATEST.equals(version)) {
            throw new IllegalArgumentException("kernel name \"" + dist + "/" + version + "\" is not usable");
        }
    }

    /** The name in a text of the form {@code <dist>/<version>}. */
    public static KernelName parse(String text) throws DkvmException {
        int slash = text.indexOf('/');
        String dist = slash < 0 ? "" : text.substring(0, slash);
        String version = text.substring(slash + 1);
        if (!isUsable(dist) || !isUsable(version)) {
            throw new DkvmException(
                    "kernel \"" + text + "\" is not a name of the form <dist>/<version>",
                    "give letters, digits and \"_+-.\", for example bookworm/6.1.0-32");
        }
        if (LATEST.equals(version)) {
            throw new DkvmException(
                    "kernel \"" + text + "\" names a link",
                    "give the version itself; \"latest\" always leads to the newest");
        }
        return new KernelName(dist, version);
    }

    /** What the kernel has to be built for: a distribution's name says so. */
    Architecture architecture() {
        return Architecture.ofKernels(dist);
    }

    /** Hidden names are the store's own; one that starts with a dash would look like an option. */
    static boolean isUsable(String part) {
        return PlainName.isValid(part) && part.length() <= MAX_LENGTH && !part.startsWith(".") && !part.startsWith("-");
    }

    @Override
    public String toString() {
        return dist + "/" + version;
    }
}
