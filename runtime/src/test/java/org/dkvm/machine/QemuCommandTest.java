// SPDX-License-Identifier: Apache-2.0
package org.dkvm.machine;

import static org.assertj.core.api.Assertions.assertThat;

import org.dkvm.core.Architecture;
import org.dkvm.core.MemorySize;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.core.machine.Board;
import org.dkvm.core.machine.Firmware;
import org.dkvm.core.machine.Growth;
import org.dkvm.core.machine.GuestKernel;
import org.dkvm.core.machine.Hardware;
import org.dkvm.core.machine.MachineSize;
import org.junit.jupiter.api.Test;

class QemuCommandTest {
    @Test
    void translatedMachineWithTwoNics() {
        Machine machine = Machines.with(Accelerator.TCG)
                .cpus(2)
                .nics(
                        new MachineNic("tap0", "02:42:ac:11:00:02", 1500, false),
                        new MachineNic("tap1", "02:42:ac:12:00:02", 9000, true))
                .machine();
        assertThat(lines(machine)).isEqualTo("""
                /usr/bin/qemu-system-x86_64
                -nodefaults
                -no-user-config
                -no-reboot
                -display none
                -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny
                -machine q35,memory-backend=memory,usb=off,smbus=off,sata=off,vmport=off
                -accel tcg,tb-size=128
                -cpu max,-erms,-fsrm
                -smp 2
                -m 536870912b
                -object memory-backend-memfd,id=memory,share=on,size=536870912b
                -kernel /k/vmlinux
                -initrd /k/initramfs
                -append console=ttyS0 panic=-1 quiet init_on_alloc=1 no_timer_check maxcpus=1 noreplace-smp lpj=40000000
                -device virtio-rng-pci
                -device virtio-balloon-pci,free-page-reporting=on
                -chardev socket,id=share,fd=10
                -device vhost-user-fs-pci,chardev=share,tag=dkvm,queue-size=1024
                -chardev socket,id=agent,fd=11
                -device virtio-serial-pci
                -device virtserialport,chardev=agent,name=dkvm.agent
                -chardev socket,id=control,fd=12
                -mon chardev=control,mode=control
                -chardev socket,id=console,fd=13
                -serial chardev:console
                -netdev tap,id=net0,ifname=tap0,script=no,downscript=no,vhost=off
                -device virtio-net-pci,netdev=net0,mac=02:42:ac:11:00:02,host_mtu=1500,romfile=
                -netdev tap,id=net1,ifname=tap1,script=no,downscript=no,vhost=on
                -device virtio-net-pci,netdev=net1,mac=02:42:ac:12:00:02,host_mtu=9000,romfile=
                -device pcie-root-port,id=spare0,chassis=1
                -device pcie-root-port,id=spare1,chassis=2
                -device pcie-root-port,id=spare2,chassis=3
                -device pcie-root-port,id=spare3,chassis=4
                """);
    }

    @Test
    void aNicInQemuOpensSocketsWhereQemuIs() {
        MachineNic nic = MachineNic.inQemu("ipv4=on,net=192.0.0.0/29,ipv6=off", "02:00:c0:00:00:04", 1500);
        assertThat(lines(Machines.with(Accelerator.TCG).nics(nic).machine())).contains("""
                -netdev user,id=net0,ipv4=on,net=192.0.0.0/29,ipv6=off
                -device virtio-net-pci,netdev=net0,mac=02:00:c0:00:00:04,host_mtu=1500,romfile=
                """);
    }

    @Test
    void foreignMachineWithTwoCpusAndADisk() {
        GuestKernel kernel = new GuestKernel("debian-arm64/6.12", Architecture.ARM64, "vmlinuz", "loglevel=3", false);
        Machine machine = Machines.with(Accelerator.TCG)
                .cpus(2)
                .kernel(kernel)
                .nics(new MachineNic("tap0", "02:42:ac:11:00:02", 1500, false))
                .disks(new MachineDisk.File(20, "disk0"))
                .machine();
        assertThat(lines(machine)).isEqualTo("""
                /usr/bin/qemu-system-aarch64
                -nodefaults
                -no-user-config
                -no-reboot
                -display none
                -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny
                -machine virt,memory-backend=memory,gic-version=3
                -accel tcg,tb-size=128
                -cpu max
                -smp 2
                -m 536870912b
                -object memory-backend-memfd,id=memory,share=on,size=536870912b
                -kernel /k/vmlinuz
                -initrd /k/initramfs-more
                -append console=ttyAMA0 panic=-1 quiet init_on_alloc=1 maxcpus=1 loglevel=3
                -device virtio-rng-pci
                -device virtio-balloon-pci,free-page-reporting=on
                -chardev socket,id=share,fd=10
                -device vhost-user-fs-pci,chardev=share,tag=dkvm,queue-size=1024
                -chardev socket,id=agent,fd=11
                -device virtio-serial-pci
                -device virtserialport,chardev=agent,name=dkvm.agent
                -chardev socket,id=control,fd=12
                -mon chardev=control,mode=control
                -chardev socket,id=console,fd=13
                -serial chardev:console
                -netdev tap,id=net0,ifname=tap0,script=no,downscript=no,vhost=off
                -device virtio-net-pci,netdev=net0,mac=02:42:ac:11:00:02,host_mtu=1500,romfile=
                -add-fd fd=20,set=0
                -blockdev driver=file,node-name=disk0,filename=/dev/fdset/0,aio=threads,discard=unmap,cache.direct=off,cache.no-flush=off
                -device virtio-blk-pci,drive=disk0,serial=disk0,werror=report,rerror=report
                -device pcie-root-port,id=spare0,chassis=1
                -device pcie-root-port,id=spare1,chassis=2
                -device pcie-root-port,id=spare2,chassis=3
                -device pcie-root-port,id=spare3,chassis=4
                """);
    }

    @Test
    void machineInHardwareTakesTheHostsCpuAndNeedsNoWorkaround() {
        String text = lines(Machines.with(Accelerator.KVM).machine());
        assertThat(text)
                .contains("-accel kvm\n-cpu host,vmx=off,svm=off\n-smp 1\n")
                .contains("-append console=ttyS0 panic=-1 quiet\n");
        assertThat(text).doesNotContain("netdev").doesNotContain("init_on_alloc");
    }

    @Test
    void kernelOfADistributionIsStartedFromItsOwnImage() {
        GuestKernel kernel = new GuestKernel("debian/6.12", Architecture.AMD64, "vmlinuz", "", false);
        assertThat(lines(Machines.with(Accelerator.TCG).kernel(kernel).machine()))
                .contains("-kernel /k/vmlinuz\n");
    }

    @Test
    void severalEmulatedCpusComeUpAfterTheBootUnlessTheUserSaysHowMany() {
        GuestKernel own = new GuestKernel("dkvm/6.12", Architecture.AMD64, "vmlinux", "maxcpus=2", false);
        assertThat(lines(Machines.with(Accelerator.TCG).cpus(4).kernel(own).machine()))
                .doesNotContain("maxcpus=1");
        assertThat(lines(Machines.with(Accelerator.TCG).machine())).doesNotContain("maxcpus");
        assertThat(lines(Machines.with(Accelerator.KVM).cpus(4).machine())).doesNotContain("maxcpus");
    }

    @Test
    void debugShowsTheKernelsLogAndTheUsersParametersComeLast() {
        GuestKernel kernel = new GuestKernel("dkvm/6.12", Architecture.AMD64, "vmlinux", "nokaslr loglevel=3", true);
        assertThat(lines(Machines.with(Accelerator.TCG).kernel(kernel).machine()))
                .contains(
                        "-append console=ttyS0 panic=-1 ignore_loglevel init_on_alloc=1 no_timer_check nokaslr loglevel=3\n");
    }

    @Test
    void firmwareSpeaksOnTheConsolesSocket() {
        assertThat(lines(Machines.with(Accelerator.TCG).firmwareDebug().machine()))
                .contains("-chardev socket,id=firmware,fd=14\n-device isa-debugcon,iobase=0x402,chardev=firmware\n");
    }

    @Test
    void disksAreOpenFilesThatGiveBackWhatIsDiscarded() {
        Machine machine = Machines.with(Accelerator.TCG)
                .disks(
                        new MachineDisk.File(20, "disk0"),
                        new MachineDisk.File(21, "disk1"),
                        new MachineDisk.Device("/dev/dkvm-disk0", false, "device0"))
                .machine();
        assertThat(lines(machine)).contains("-initrd /k/initramfs-more\n").contains("""
                        -serial chardev:console
                        -add-fd fd=20,set=0
                        -blockdev driver=file,node-name=disk0,filename=/dev/fdset/0,aio=threads,discard=unmap,cache.direct=off,cache.no-flush=off
                        -device virtio-blk-pci,drive=disk0,serial=disk0,werror=report,rerror=report
                        -add-fd fd=21,set=1
                        -blockdev driver=file,node-name=disk1,filename=/dev/fdset/1,aio=threads,discard=unmap,cache.direct=off,cache.no-flush=off
                        -device virtio-blk-pci,drive=disk1,serial=disk1,werror=report,rerror=report
                        -blockdev driver=host_device,node-name=disk2,filename=/dev/dkvm-disk0,read-only=on,aio=threads,discard=unmap,cache.direct=off,cache.no-flush=off
                        -device virtio-blk-pci,drive=disk2,serial=device0,werror=report,rerror=report
                        -device pcie-root-port,id=spare0,chassis=1
                        """);
    }

    @Test
    void aMicrovmHasItsDevicesAtFixedPlaces() {
        Machine machine = Machines.with(Accelerator.TCG)
                .cpus(2)
                .tscKilohertz(2_596_094)
                .hardware(new Hardware(Board.MICROVM, Firmware.SEABIOS))
                .nics(new MachineNic("tap0", "02:42:ac:11:00:02", 1500, false))
                .disks(new MachineDisk.File(20, "disk0"))
                .machine();
        assertThat(lines(machine))
                .contains(
                        "-machine microvm,memory-backend=memory,acpi=off\n-global virtio-mmio.force-legacy=false\n-accel tcg")
                .contains(
                        " tsc_early_khz=2596094 maxcpus=1 noreplace-smp lpj=40000000 acpi=off reboot=t tsc=reliable\n")
                .contains("-device virtio-rng-device,bus=virtio-mmio-bus.7\n")
                .contains("-device virtio-balloon-device,bus=virtio-mmio-bus.6,free-page-reporting=on\n")
                .contains("-device vhost-user-fs-device,bus=virtio-mmio-bus.5,chardev=share,tag=dkvm,queue-size=1024\n")
                .contains("-device virtio-serial-device,bus=virtio-mmio-bus.4\n")
                .contains(
                        "-device virtio-net-device,bus=virtio-mmio-bus.2,netdev=net0,mac=02:42:ac:11:00:02,host_mtu=1500\n")
                .endsWith(
                        "-device virtio-blk-device,bus=virtio-mmio-bus.1,drive=disk0,serial=disk0,werror=report,rerror=report\n")
                .doesNotContain("pci")
                .doesNotContain("-bios");
    }

    @Test
    void aFullMicrovmKeepsItsDisksInOrder() {
        DeviceBus bus = new DeviceBus(Board.MICROVM, 8);
        StringBuilder places = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            String device = bus.device("x");
            places.append(device.charAt(device.length() - 1));
        }
        assertThat(places).hasToString("37654210");
    }

    @Test
    void efiIsARom() {
        Machine machine = Machines.with(Accelerator.KVM)
                .kernel(new GuestKernel("debian/6.12", Architecture.AMD64, "vmlinuz", "", false))
                .hardware(new Hardware(Board.Q35, Firmware.EFI))
                .machine();
        assertThat(lines(machine)).contains("-bios /usr/share/ovmf/OVMF.fd\n").contains("-device virtio-rng-pci\n");
    }

    @Test
    void aMachineThatMayGrowHasRoomForIt() {
        Machine machine = Machines.with(Accelerator.KVM)
                .size(new MachineSize(1, MemorySize.ofMib(512), new Growth(4, MemorySize.ofMib(2048))))
                .machine();
        assertThat(lines(machine))
                .contains("-smp 4\n-m 536870912b,maxmem=2147483648b\n")
                .contains("share=on,size=536870912b\n")
                .contains("-device pcie-root-port,id=memory-port,chassis=5\n");
    }

    @Test
    void memoryIsAddedByVirtioMem() {
        assertThat(MemoryCommands.backend(8).toString())
                .isEqualTo(
                        "{\"qom-type\":\"memory-backend-memfd\",\"id\":\"more-memory\",\"size\":8,\"share\":true,\"reserve\":false}");
        assertThat(MemoryCommands.device(4).toString())
                .isEqualTo(
                        "{\"driver\":\"virtio-mem-pci\",\"id\":\"more\",\"memdev\":\"more-memory\",\"bus\":\"memory-port\",\"block-size\":4194304,\"requested-size\":4}");
        assertThat(MemoryCommands.request(3).toString())
                .isEqualTo("{\"path\":\"/machine/peripheral/more\",\"property\":\"requested-size\",\"value\":3}");
        assertThat(MemoryCommands.size().toString())
                .isEqualTo("{\"path\":\"/machine/peripheral/more\",\"property\":\"size\"}");
        assertThat(MemoryCommands.balloon(2).toString()).isEqualTo("{\"value\":2}");
    }

    @Test
    void commaInAValueIsDoubled() {
        assertThat(QemuCommand.value("a,b,,c")).isEqualTo("a,,b,,,,c");
    }

    /** One option with its value a line. */
    private static String lines(Machine machine) {
        StringBuilder text = new StringBuilder();
        for (String word : QemuCommand.argv(machine)) {
            text.append(text.isEmpty() ? "" : word.startsWith("-") ? "\n" : " ").append(word);
        }
        return text.append('\n').toString();
    }
}
