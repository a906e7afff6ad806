// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.machine;

/** A VM's graphics card. */
public enum Vga {
    NONE,
    /** The card that every guest knows, with QEMU's extensions. */
    STD,
    /** virtio-gpu, with a VGA's text mode until its driver is loaded. */
    VIRTIO
}
