// SPDX-License-Identifier: Apache-2.0
package org.dkvm.disk;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.dkvm.core.machine.Disk;
import org.dkvm.core.machine.DiskFilesystem;
import org.junit.jupiter.api.Test;

class DiskCommandTest {
    private static final Path SHARE = Path.of("/vm");
    private static final Disk OWN = new Disk("/my disk", "/home", DiskFilesystem.EXT4, 1L << 30);
    private static final Disk HIDDEN = new Disk("/disks/v/d", "/data", DiskFilesystem.XFS, 2L << 30);

    @Test
    void aFileIsPreparedBelowTheContainersRoot() {
        assertThat(String.join("|", DiskCommand.prepare(OWN, SHARE)))
                .isEqualTo("/opt/dkvm/dkvm-disk|prepare|/vm|/my disk|ext4|1073741824");
    }

    @Test
    void aFileThatOnlyTheSandboxHasIsPreparedBelowDisks() {
        assertThat(String.join("|", DiskCommand.prepare(HIDDEN, SHARE)))
                .isEqualTo("/opt/dkvm/dkvm-disk|prepare|/disks|/v/d|xfs|2147483648");
    }

    @Test
    void aProgramRunsWithEachFileAsItsDescriptor() {
        assertThat(String.join("|", DiskCommand.run(List.of(OWN, HIDDEN), SHARE, List.of("/bin/qemu", "-x"))))
                .isEqualTo("/opt/dkvm/dkvm-disk|run|20|/vm|/my disk|21|/disks|/v/d|--|/bin/qemu|-x");
        assertThat(DiskCommand.descriptor(1)).isEqualTo(21);
    }
}
