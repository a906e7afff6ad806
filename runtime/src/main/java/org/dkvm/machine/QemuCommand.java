// SPDX-License-Identifier: Apache-2.0
package org.dkvm.machine;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.Architecture;
import org.dkvm.core.MemorySize;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.core.machine.Board;
import org.dkvm.core.machine.Firmware;
import org.dkvm.core.machine.Processor;

/** QEMU's command line (10.x). See qemu-system-x86_64(1), qemu-system-aarch64(1). */
public final class QemuCommand {
    /** The tag of the shared filesystem, by which the agent mounts it. */
    public static final String SHARE_TAG = "dkvm";
    /** The name of the agent's virtio-serial port. */
    public static final String AGENT_PORT = "dkvm.agent";

    /** The port for {@link MemoryCommands#device}. */
    static final String MEMORY_PORT = "memory-port";

    private static final String EFI_FIRMWARE = "/usr/share/ovmf/OVMF.fd";
    private static final String PROGRAM = "/usr/bin/qemu-system-";
    /** QEMU's cache of translated code in MiB: counted in the sandbox's memory limit. */
    private static final int TRANSLATION_CACHE_MIB = 128;
    /** Ports for devices that come later, on boards that take them: networks connected while running. */
    public static final int SPARE_PORTS = 4;
    /** Random numbers, the balloon, the share, the agent's port. */
    private static final int OWN_DEVICES = 4;
    /** Requests in flight on the share: QEMU's largest, so that a deep queue of reads is not cut short. */
    private static final int SHARE_QUEUE = 1024;

    /** The host's kernel offers Intel's or AMD's extension to guests as it is set up, and all that its code for nested VMs may get wrong; a processor of the one kind has not the other's. */
    private static final String HOST_WITHOUT_VMS = "host,vmx=off,svm=off";

    private static final String[] ALONE = {"-nodefaults", "-no-user-config", "-no-reboot"};

    private static final String[] CONFINED = {
        "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"
    };

    private QemuCommand() {}

    /** The name of what is behind a network card. */
    public static String netdev(int number) {
        return "net" + number;
    }

    /** The name of a port for a device that comes later. */
    static String sparePort(int number) {
        return "spare" + number;
    }

    /** The command that runs this machine. */
    public static List<String> argv(Machine machine) {
        List<String> argv = new ArrayList<>();
        argv.add(PROGRAM + machine.shape().kernel().architecture().machine());
        add(argv, ALONE);
        DisplayArguments.screen(argv, machine);
        add(argv, CONFINED);
        board(argv, machine);
        kernel(argv, machine);
        DeviceBus bus = new DeviceBus(
                machine.shape().hardware().board(),
                OWN_DEVICES + machine.nics().size() + machine.disks().size());
        device(argv, bus, "virtio-rng", "");
        device(argv, bus, "virtio-balloon", ",free-page-reporting=on");
        socket(argv, machine, "share", QemuDescriptors.SHARE);
        device(argv, bus, "vhost-user-fs", ",chardev=share,tag=" + SHARE_TAG + ",queue-size=" + SHARE_QUEUE);
        socket(argv, machine, "agent", QemuDescriptors.AGENT);
        device(argv, bus, "virtio-serial", "");
        add(argv, "-device", "virtserialport,chardev=agent,name=" + AGENT_PORT);
        socket(argv, machine, "control", QemuDescriptors.CONTROL);
        add(argv, "-mon", "chardev=control,mode=control");
        DisplayArguments.serial(argv, machine);
        if (machine.shape().firmwareDebug()) {
            socket(argv, machine, "firmware", QemuDescriptors.FIRMWARE);
            add(argv, "-device", "isa-debugcon,iobase=0x402,chardev=firmware");
        }
        if (!machine.birth().isSaved()) {
            nics(argv, bus, machine.nics());
        }
        disks(argv, bus, machine.disks());
        DisplayArguments.devices(argv, machine);
        sparePorts(argv, machine.shape().hardware().board());
        if (machine.shape().size().canGetMemory()) {
            add(argv, "-device", "pcie-root-port,id=" + MEMORY_PORT + ",chassis=" + (SPARE_PORTS + 1));
        }
        TemplateMachine.add(argv, machine.birth());
        return argv;
    }

    private static void board(List<String> argv, Machine machine) {
        Board board = machine.shape().hardware().board();
        add(argv, "-machine", BoardWords.machine(board, machine.shape().kernel().architecture()));
        if (board == Board.MICROVM) {
            // The first version of virtio, its default, has no shared filesystems.
            add(argv, "-global", "virtio-mmio.force-legacy=false");
        }
        if (machine.shape().hardware().firmware() == Firmware.EFI) {
            // As a ROM: what the guest writes to EFI's variables is in memory and gone with the VM.
            add(argv, "-bios", EFI_FIRMWARE);
        }
        processor(argv, machine.shape().processor(), machine.shape().kernel().architecture());
        add(argv, "-smp", Integer.toString(machine.shape().size().growth().cpus()));
        String bytes = Long.toString(machine.shape().size().memory().bytes());
        add(
                argv,
                "-m",
                machine.shape().size().canGetMemory()
                        ? bytes + "b,maxmem="
                                + machine.shape().size().growth().memory().bytes() + "b"
                        : bytes + "b");
        add(
                argv,
                "-object",
                TemplateMachine.memory(machine.birth(), machine.shape().size().memory()));
    }

    /**
     * An emulated one does not claim "fast" strings: an emulator does "rep movsb" byte by byte, and kernel and libraries copy and clear memory in larger pieces where they are not told
     * that it is fast. Seven times as fast for what is read from the page cache.
     */
    private static void processor(List<String> argv, Processor processor, Architecture architecture) {
        boolean tcg = processor.accelerator() == Accelerator.TCG;
        add(argv, "-accel", tcg ? "tcg,tb-size=" + TRANSLATION_CACHE_MIB : "kvm");
        String emulated = architecture == Architecture.AMD64 ? "max,-erms,-fsrm" : "max";
        add(argv, "-cpu", tcg ? emulated : processor.kvm().nested() ? "host" : HOST_WITHOUT_VMS);
    }

    /** The beginning of a command that only sees whether a kernel boots: with what a VM's processors and memory are made of, and no devices. */
    public static List<String> bare(Architecture architecture, Accelerator accelerator, int cpus, MemorySize memory) {
        List<String> argv = new ArrayList<>();
        argv.add(PROGRAM + architecture.machine());
        add(argv, ALONE);
        add(argv, "-display", "none");
        add(argv, CONFINED);
        add(argv, "-machine", BoardWords.machine(Board.Q35, architecture));
        processor(argv, new Processor(accelerator, 0), architecture);
        add(argv, "-smp", Integer.toString(cpus));
        add(argv, "-m", memory.bytes() + "b");
        add(argv, "-object", TemplateMachine.memory(Birth.BOOT, memory));
        return argv;
    }

    private static void kernel(List<String> argv, Machine machine) {
        Path directory = machine.boot().directory();
        add(argv, "-kernel", directory.resolve(machine.shape().kernel().image()).toString());
        add(argv, "-initrd", directory.resolve(machine.boot().initramfs()).toString());
        add(argv, "-append", KernelCommandLine.of(machine));
    }

    private static void device(List<String> argv, DeviceBus bus, String name, String properties) {
        add(argv, "-device", bus.device(name) + properties);
    }

    private static void sparePorts(List<String> argv, Board board) {
        for (int i = 0; board.takesDevicesLater() && i < SPARE_PORTS; i++) {
            add(argv, "-device", "pcie-root-port,id=" + sparePort(i) + ",chassis=" + (i + 1));
        }
    }

    private static void nics(List<String> argv, DeviceBus bus, List<MachineNic> nics) {
        for (int i = 0; i < nics.size(); i++) {
            MachineNic nic = nics.get(i);
            add(
                    argv,
                    "-netdev",
                    nic.tap().isEmpty()
                            ? "user,id=" + netdev(i) + "," + nic.user()
                            : "tap,id=" + netdev(i) + ",ifname=" + value(nic.tap()) + ",script=no,downscript=no,vhost="
                                    + (nic.vhost() ? "on" : "off"));
            device(
                    argv,
                    bus,
                    "virtio-net",
                    ",netdev=" + netdev(i) + ",mac=" + value(nic.mac()) + ",host_mtu=" + nic.mtu() + bus.withoutRom());
        }
    }

    /**
     * Raw files and devices in the host's page cache, which the guest has written to the disk when it says so. What it discards, or writes zeros to, becomes a
     * hole. What fails, a full host's file too, is an error in the guest, and never a VM that waits. QEMU's threads do the work: io_uring is not allowed in the sandbox, and the kernel's older way needs O_DIRECT.
     */
    private static void disks(List<String> argv, DeviceBus bus, List<MachineDisk> disks) {
        for (int i = 0; i < disks.size(); i++) {
            MachineDisk disk = disks.get(i);
            String source = "";
            if (disk instanceof MachineDisk.File file) {
                add(argv, "-add-fd", "fd=" + file.descriptor() + ",set=" + i);
                source = "driver=file,node-name=disk" + i + ",filename=/dev/fdset/" + i;
            } else if (disk instanceof MachineDisk.Device device) {
                source = "driver=host_device,node-name=disk" + i + ",filename=" + value(device.node()) + ",read-only="
                        + (device.writable() ? "off" : "on");
            }
            add(argv, "-blockdev", source + ",aio=threads,discard=unmap,cache.direct=off,cache.no-flush=off");
            device(
                    argv,
                    bus,
                    "virtio-blk",
                    ",drive=disk" + i + ",serial=" + value(disk.serial()) + ",werror=report,rerror=report");
        }
    }

    /** A socket that is connected; of a template, one that QEMU makes, as who makes templates has no dkvm-init. */
    static void socket(List<String> argv, Machine machine, String id, int descriptor) {
        if (machine.birth() != Birth.TEMPLATE) {
            add(argv, "-chardev", "socket,id=" + id + ",fd=" + descriptor);
            return;
        }
        Machine.Sockets sockets = machine.sockets();
        switch (descriptor) {
            case QemuDescriptors.SHARE -> add(argv, "-chardev", "socket,id=" + id + ",path=" + sockets.share());
            case QemuDescriptors.CONTROL -> add(argv, "-chardev", listening(id, sockets.control()));
            // Nobody connects: an agent that nobody hears waits to say its first word.
            case QemuDescriptors.AGENT -> add(argv, "-chardev", listening(id, sockets.agent()));
            default -> add(argv, "-chardev", "null,id=" + id);
        }
    }

    private static String listening(String id, Path socket) {
        return "socket,id=" + id + ",server=on,wait=off,path=" + socket;
    }

    /** A value in a list of options: a comma is doubled. */
    static String value(String text) {
        return text.replace(",", ",,");
    }

    static void add(List<String> argv, String... words) {
        for (String word : words) {
            argv.add(word);
        }
    }
}
