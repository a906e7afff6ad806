// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.machine;

/** Whose network namespace the sandbox has. */
public enum NetworkMode {
    /** One of its own, with whatever interfaces the engine puts there (none, too): the VM takes them over. */
    OWN,
    /** One that processes of others live in, the host's or another container's: nothing in it is changed, QEMU opens sockets there for the VM. */
    SHARED
}
