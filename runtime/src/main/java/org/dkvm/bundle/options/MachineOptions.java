// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.options;

import java.util.List;
import java.util.Optional;
import org.dkvm.core.Architecture;
import org.dkvm.core.machine.Disk;
import org.dkvm.core.machine.Display;
import org.dkvm.core.machine.Hardware;

/**
 * What the VM is.
 *
 * @param architecture what the image is built for; empty when not given
 * @param acceleration how the VM runs: the host's setting when not given
 * @param hardware the board and its firmware
 * @param firmwareDebug whether the firmware's messages go to the console
 * @param display what the VM shows, and where
 * @param disks virtual disks, in order
 * @param nested whether the guest may run VMs of its own by KVM
 */
public record MachineOptions(
        Optional<Architecture> architecture,
        Acceleration acceleration,
        Hardware hardware,
        boolean firmwareDebug,
        Display display,
        List<Disk> disks,
        boolean nested) {
    public MachineOptions {
        disks = List.copyOf(disks);
    }
}
