// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.mounts;

import java.nio.file.Path;

/**
 * A packaged kernel's modules, for programs in the guest.
 *
 * @param directory what belongs in {@code /lib/modules/<release>}, on the host
 * @param release the kernel's release, as uname(1) prints it; empty when there are no modules to bring along
 */
public record GuestModules(Path directory, String release) {
    /** Of a kernel that has none, or whose modules the image has. */
    public static final GuestModules NONE = new GuestModules(Path.of(""), "");

    /** Whether there are any. */
    boolean isPresent() {
        return !release.isEmpty();
    }
}
