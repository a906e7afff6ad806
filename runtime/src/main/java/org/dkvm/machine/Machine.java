// SPDX-License-Identifier: Apache-2.0
package org.dkvm.machine;

import java.nio.file.Path;
import java.util.List;
import org.dkvm.core.machine.MachineShape;

/**
 * A VM to start.
 *
 * @param shape what it is
 * @param boot what it boots from
 * @param nics its network cards, in order
 * @param disks its disks, in order
 * @param sockets where QEMU connects
 * @param birth how it comes to life
 */
public record Machine(
        MachineShape shape,
        BootFiles boot,
        List<MachineNic> nics,
        List<MachineDisk> disks,
        Sockets sockets,
        Birth birth) {
    /**
     * The sockets that others listen on before QEMU starts, and other files of the sandbox.
     *
     * @param agent the agent channel, the monitor's
     * @param control QMP, the monitor's
     * @param console the serial port, the monitor's
     * @param share vhost-user, virtiofsd's
     * @param terminal the container's terminal
     */
    public record Sockets(Path agent, Path control, Path console, Path share, Path terminal) {}

    /** One that boots. */
    public Machine(
            MachineShape shape, BootFiles boot, List<MachineNic> nics, List<MachineDisk> disks, Sockets sockets) {
        this(shape, boot, nics, disks, sockets, Birth.BOOT);
    }

    public Machine {
        nics = List.copyOf(nics);
        disks = List.copyOf(disks);
    }
}
