// SPDX-License-Identifier: Apache-2.0
package org.dkvm.machine;

import java.nio.file.Path;
import java.util.List;
import org.dkvm.core.MemorySize;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.core.machine.Display;
import org.dkvm.core.machine.Growth;
import org.dkvm.core.machine.GuestKernel;
import org.dkvm.core.machine.Hardware;

/**
 * A VM to start.
 *
 * @param accelerator how its instructions are run
 * @param cpus virtual CPUs
 * @param memory the VM's memory
 * @param kernel the kernel it boots
 * @param kernelDirectory where the kernel's image and its initramfs are
 * @param initramfs the file name of that one
 * @param nics its network cards, in order
 * @param disks its disks, in order
 * @param sockets where QEMU connects
 * @param display what it shows, and where
 * @param firmwareDebug whether the firmware's messages are wanted on the console's socket
 * @param hardware its board and firmware
 * @param tscKilohertz how fast the host's time stamp counter runs; 0: not known
 * @param growth how large it can become while it runs
 */
public record Machine(
        Accelerator accelerator,
        int cpus,
        MemorySize memory,
        GuestKernel kernel,
        Path kernelDirectory,
        String initramfs,
        List<MachineNic> nics,
        List<MachineDisk> disks,
        Sockets sockets,
        Display display,
        boolean firmwareDebug,
        Hardware hardware,
        long tscKilohertz,
        Growth growth) {
    /**
     * The sockets that others listen on before QEMU starts, and other files of the sandbox.
     *
     * @param agent the agent channel, the monitor's
     * @param control QMP, the monitor's
     * @param console the serial port, the monitor's
     * @param share vhost-user, virtiofsd's
     * @param terminal the container's terminal
     * @param vncPassword a file with VNC's password
     */
    public record Sockets(Path agent, Path control, Path console, Path share, Path terminal, Path vncPassword) {}

    public Machine {
        nics = List.copyOf(nics);
        disks = List.copyOf(disks);
    }

    /** Whether memory can be added while it runs. */
    boolean canGetMemory() {
        return growth.memory().compareTo(memory) > 0;
    }
}
