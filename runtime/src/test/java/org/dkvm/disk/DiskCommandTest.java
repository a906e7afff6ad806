// SPDX-License-Identifier: Apache-2.0
package org.dkvm.disk;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.dkvm.core.machine.Descriptor;
import org.dkvm.core.machine.Disk;
import org.dkvm.core.machine.DiskFilesystem;
import org.dkvm.core.machine.SandboxFile;
import org.junit.jupiter.api.Test;

class DiskCommandTest {
    private static final Disk OWN = new Disk("/my disk", "/home", DiskFilesystem.EXT4, 1L << 30);
    private static final Disk HIDDEN = new Disk("/disks/v/d", "/data", DiskFilesystem.XFS, 2L << 30);
    private static final SandboxFile OWN_FILE = new SandboxFile("/share/root", "/my disk");
    private static final SandboxFile HIDDEN_FILE = new SandboxFile("/disks/1", "/d");

    @Test
    void aFileIsPreparedBelowTheContainersRoot() {
        assertThat(String.join("|", DiskCommand.prepare(OWN, OWN_FILE)))
                .isEqualTo("/opt/dkvm/dkvm-disk|prepare|/share/root|/my disk|ext4|1073741824");
    }

    @Test
    void aFileThatOnlyTheSandboxHasIsPreparedBelowDisks() {
        assertThat(String.join("|", DiskCommand.prepare(HIDDEN, HIDDEN_FILE)))
                .isEqualTo("/opt/dkvm/dkvm-disk|prepare|/disks/1|/d|xfs|2147483648");
    }

    @Test
    void aProgramHasEachFileAsItsDescriptor() {
        assertThat(DiskCommand.files(List.of(OWN_FILE, HIDDEN_FILE)))
                .containsExactly(
                        new Descriptor.DiskFile(20, "/share/root", "/my disk"),
                        new Descriptor.DiskFile(21, "/disks/1", "/d"));
        assertThat(DiskCommand.descriptor(1)).isEqualTo(21);
    }
}
