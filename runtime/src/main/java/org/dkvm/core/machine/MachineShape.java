// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.machine;

/**
 * What a VM is, before anything is plugged in: two of one shape start alike.
 *
 * @param kernel the kernel it boots
 * @param processor what its processors are
 * @param size how many of them it has, and how much memory
 * @param hardware its board and firmware
 * @param firmwareDebug whether the firmware's messages go to the console
 * @param display what it shows, and where
 */
public record MachineShape(
        GuestKernel kernel,
        Processor processor,
        MachineSize size,
        Hardware hardware,
        boolean firmwareDebug,
        Display display) {
    /** The same without KVM. */
    public MachineShape translated() {
        return new MachineShape(kernel, processor.translated(), size, hardware, firmwareDebug, display);
    }
}
