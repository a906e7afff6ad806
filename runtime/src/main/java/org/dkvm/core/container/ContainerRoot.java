// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.container;

import java.util.List;

/**
 * A container's root filesystem.
 *
 * @param readOnly whether it is read-only
 * @param mounts what the agent mounts in it, in order
 * @param hidden what the workload is not to see, or not to write to
 */
public record ContainerRoot(boolean readOnly, List<GuestMount> mounts, HiddenPaths hidden) {
    public ContainerRoot {
        mounts = List.copyOf(mounts);
    }

    /** How many of the mounts are sockets of the host. */
    public int sockets() {
        int count = 0;
        for (GuestMount mount : mounts) {
            count += mount.kind() == GuestMount.Kind.SOCKET ? 1 : 0;
        }
        return count;
    }
}
