// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.options;

import org.dkvm.core.machine.NetworkMode;

/**
 * How the VM comes by its network.
 *
 * @param shared whether the VM leaves the network namespace as it is, also one of its own
 * @param vhostNet whether the host's kernel carries its packets
 */
public record NetworkOptions(boolean shared, VhostNet vhostNet) {
    /** The network's mode, where the spec's alone would make it that. */
    public NetworkMode mode(NetworkMode ofSpec) {
        return shared ? NetworkMode.SHARED : ofSpec;
    }
}
