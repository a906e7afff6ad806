// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.start;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.dkvm.bundle.plan.SandboxMounts;
import org.dkvm.core.DkvmException;
import org.dkvm.core.container.GuestDevice;
import org.dkvm.core.machine.Descriptor;
import org.dkvm.core.machine.Disk;
import org.dkvm.core.machine.SandboxFile;
import org.dkvm.disk.DiskCommand;
import org.dkvm.machine.MachineDisk;
import org.dkvm.monitor.program.Output;
import org.dkvm.monitor.program.ProgramStart;
import org.dkvm.monitor.program.Programs;

/** A container's disks, made ready before its VM starts, and the host's block devices that it was given. */
public final class Disks {
    private static final int MAX_OUTPUT = 4096;

    private final List<Disk> disks;
    private final List<GuestDevice> devices;
    private final SandboxMounts mounts;

    public Disks(List<Disk> disks, List<GuestDevice> devices, SandboxMounts mounts) {
        this.disks = disks;
        this.devices = devices;
        this.mounts = mounts;
    }

    /**
     * Makes and formats the files that are not there, and looks at the others.
     *
     * @param say takes what the user should know although all is well
     */
    public void prepare(Programs programs, Consumer<String> say) throws DkvmException {
        for (Disk disk : disks) {
            String said = prepare(disk, programs);
            if (!said.isEmpty()) {
                say.accept(about(disk, said));
            }
        }
    }

    /** The files that QEMU has open and locked. */
    public List<Descriptor> files() {
        List<SandboxFile> files = new ArrayList<>();
        for (Disk disk : disks) {
            files.add(mounts.file(disk.source()));
        }
        return DiskCommand.files(files);
    }

    public List<MachineDisk> ofMachine() {
        List<MachineDisk> list = new ArrayList<>();
        for (int i = 0; i < disks.size(); i++) {
            list.add(new MachineDisk.File(DiskCommand.descriptor(i), Disk.serial(i)));
        }
        for (int i = 0; i < devices.size(); i++) {
            GuestDevice device = devices.get(i);
            if (device.isBlock()) {
                list.add(new MachineDisk.Device(GuestDevice.node(i), device.writable(), GuestDevice.serial(i)));
            }
        }
        return list;
    }

    /** Whether a filesystem's modules may be needed in the guest. */
    public boolean needModules() {
        for (Disk disk : disks) {
            if (disk.filesystem().needsModules()) {
                return true;
            }
        }
        return false;
    }

    private String prepare(Disk disk, Programs programs) throws DkvmException {
        try {
            Output output = Output.of(
                    programs,
                    ProgramStart.of(ProgramStart.Kind.DISKS, DiskCommand.prepare(disk, mounts.file(disk.source()))),
                    MAX_OUTPUT);
            if (output.exitCode() != 0) {
                throw new DkvmException(about(disk, output.said()), "");
            }
            return output.said();
        } catch (IOException e) {
            throw new DkvmException(about(disk, "can not be prepared: " + e.getMessage()), "", e);
        }
    }

    private static String about(Disk disk, String said) {
        return "disk \"" + disk.source() + "\" " + said;
    }
}
