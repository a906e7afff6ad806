// SPDX-License-Identifier: Apache-2.0
package org.dkvm.machine;

import java.nio.file.Path;
import java.util.List;
import org.dkvm.core.Architecture;
import org.dkvm.core.MemorySize;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.core.machine.Display;
import org.dkvm.core.machine.GuestKernel;
import org.dkvm.core.machine.Hardware;
import org.dkvm.core.machine.MachineShape;
import org.dkvm.core.machine.MachineSize;
import org.dkvm.core.machine.Processor;

/** Machines for tests: an ordinary one, and what is said to be other. */
final class Machines {
    static final GuestKernel OWN = new GuestKernel("dkvm/6.12", Architecture.AMD64, "vmlinux", "", false);

    static final Machine.Sockets SOCKETS = new Machine.Sockets(
            Path.of("/r/agent"),
            Path.of("/r/control"),
            Path.of("/r/console"),
            Path.of("/r/share"),
            Path.of("/dev/console"));

    private Processor processor;
    private GuestKernel kernel = OWN;
    private MachineSize size = MachineSize.fixed(1, MemorySize.ofMib(512));
    private Hardware hardware = Hardware.ORDINARY;
    private Display display = Display.NONE;
    private boolean firmwareDebug;
    private String initramfs = "initramfs";
    private List<MachineNic> nics = List.of();
    private List<MachineDisk> disks = List.of();
    private Birth birth = Birth.BOOT;

    private Machines(Accelerator accelerator) {
        processor = new Processor(accelerator, 0);
    }

    static Machines with(Accelerator accelerator) {
        return new Machines(accelerator);
    }

    Machines kernel(GuestKernel other) {
        kernel = other;
        return this;
    }

    Machines size(MachineSize other) {
        size = other;
        return this;
    }

    Machines cpus(int number) {
        return size(MachineSize.fixed(number, size.memory()));
    }

    Machines tscKilohertz(long kilohertz) {
        processor = new Processor(processor.accelerator(), kilohertz);
        return this;
    }

    Machines hardware(Hardware other) {
        hardware = other;
        return this;
    }

    Machines display(Display other) {
        display = other;
        return this;
    }

    Machines firmwareDebug() {
        firmwareDebug = true;
        return this;
    }

    Machines nics(MachineNic... cards) {
        nics = List.of(cards);
        return this;
    }

    /** With the initramfs that has their modules. */
    Machines disks(MachineDisk... some) {
        initramfs = "initramfs-more";
        disks = List.of(some);
        return this;
    }

    Machines birth(Birth other) {
        birth = other;
        return this;
    }

    Machine machine() {
        return new Machine(
                new MachineShape(kernel, processor, size, hardware, firmwareDebug, display),
                new BootFiles(Path.of("/k"), initramfs),
                nics,
                disks,
                SOCKETS,
                birth);
    }
}
