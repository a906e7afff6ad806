// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.start;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.dkvm.bundle.plan.SandboxMounts;
import org.dkvm.core.DkvmException;
import org.dkvm.core.container.DeviceNumber;
import org.dkvm.core.container.GuestDevice;
import org.dkvm.core.container.NodeAccess;
import org.dkvm.core.machine.Descriptor;
import org.dkvm.core.machine.Disk;
import org.dkvm.core.machine.DiskFilesystem;
import org.dkvm.core.machine.SandboxFile;
import org.dkvm.machine.MachineDisk;
import org.junit.jupiter.api.Test;

class DisksTest {
    private static final SandboxMounts MOUNTS = new SandboxMounts(
            List.of(),
            Map.of("/a", new SandboxFile("/share/root", "/a"), "/b", new SandboxFile("/share/1", "/deep/b")));
    private static final Disk EXT4 = new Disk("/a", "/home", DiskFilesystem.EXT4, 1L << 30);
    private static final Disk XFS = new Disk("/b", "/data", DiskFilesystem.XFS, 1L << 30);

    private final List<String> said = new ArrayList<>();

    private static Disks disks(Disk... disks) {
        return new Disks(List.of(disks), List.of(), MOUNTS);
    }

    @Test
    void whatThereIsToSayNamesTheDisk() throws DkvmException {
        disks(EXT4).prepare(new OneAnswer(0, "has 5 bytes\n"), said::add);
        assertThat(said).containsExactly("disk \"/a\" has 5 bytes");
    }

    @Test
    void aDiskThatIsFitForUseIsNotSpokenOf() throws DkvmException {
        disks(EXT4, XFS).prepare(new OneAnswer(0, ""), said::add);
        assertThat(said).isEmpty();
    }

    @Test
    void aDiskThatIsNotFitForUseEndsTheStart() {
        assertThatThrownBy(() -> disks(EXT4).prepare(new OneAnswer(1, "is in use by another VM\n"), said::add))
                .isInstanceOf(DkvmException.class)
                .hasMessage("disk \"/a\" is in use by another VM");
    }

    @Test
    void qemuHasThemOpen() {
        assertThat(disks().files()).isEmpty();
        assertThat(disks(EXT4).files()).containsExactly(new Descriptor.DiskFile(20, "/share/root", "/a"));
    }

    @Test
    void theMachineHasThemByDescriptorAndSerialNumber() {
        assertThat(disks(EXT4, XFS).ofMachine())
                .containsExactly(new MachineDisk.File(20, "disk0"), new MachineDisk.File(21, "disk1"));
    }

    @Test
    void theHostsDevicesComeAfterThemAndAGuestsOwnAreNoDisks() {
        Disks disks = new Disks(
                List.of(EXT4),
                List.of(
                        new GuestDevice(
                                "/dev/fuse", new DeviceNumber(false, 10, 229), false, new NodeAccess(0666, 0, 0)),
                        new GuestDevice("/dev/sdz", new DeviceNumber(true, 7, 5), true, new NodeAccess(0660, 0, 6))),
                MOUNTS);
        assertThat(disks.ofMachine())
                .containsExactly(
                        new MachineDisk.File(20, "disk0"), new MachineDisk.Device("/dev/dkvm-disk1", true, "device1"));
    }

    @Test
    void onlySomeFilesystemsNeedModules() {
        assertThat(disks().needModules()).isFalse();
        assertThat(disks(EXT4).needModules()).isFalse();
        assertThat(disks(EXT4, XFS).needModules()).isTrue();
    }
}
