// SPDX-License-Identifier: Apache-2.0
package org.dkvm.machine;

/** A disk of the VM. */
public sealed interface MachineDisk {
    /** Its serial number, at most 20 characters, by which the guest finds it. */
    String serial();

    /**
     * A disk in a file.
     *
     * @param descriptor the number of its open file in QEMU
     */
    record File(int descriptor, String serial) implements MachineDisk {}

    /**
     * A block device of the host.
     *
     * @param node its place in the sandbox
     * @param writable whether the guest may write to it
     */
    record Device(String node, boolean writable, String serial) implements MachineDisk {}
}
