// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.start;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.dkvm.bundle.plan.SandboxMounts;
import org.dkvm.core.DkvmException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MountCheckTest {
    private static final SandboxMounts PLANNED =
            new SandboxMounts(List.of("/proc", "/share", "/share/root", "/share/1", "/proc/kcore"), Map.of());
    private static final String USUAL = """
            600 500 0:53 / / ro,relatime - overlay overlay rw
            601 600 0:54 / /proc rw,nosuid,nodev,noexec - proc proc rw
            602 601 0:55 /null /proc/kcore rw,nosuid - tmpfs tmpfs rw
            603 600 0:56 / /share ro,nosuid,nodev,noexec - tmpfs tmpfs rw
            604 603 0:57 / /share/root rw,nosuid,nodev shared:7 master:1 - overlay overlay rw
            605 603 8:1 /srv /share/1 ro,noexec,noatime - ext4 /dev/sda1 rw
            606 605 8:2 / /share/1/sub\\040mount rw - ext4 /dev/sda2 rw
            """;

    @TempDir
    private Path directory;

    private MountCheck check(String table) throws DkvmException, IOException {
        Path file = directory.resolve("mountinfo");
        Files.writeString(file, table);
        return MountCheck.of(file, PLANNED);
    }

    @Test
    void whatWasPlannedAndWhatCameWithItIsFine() throws DkvmException, IOException {
        MountCheck check = check(USUAL);
        assertThat(check.flags("1")).isEqualTo(1 | 8 | 1024);
        assertThat(check.flags("root")).isEqualTo(2 | 4);
        assertThat(check.flags("9")).isZero();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"/opt/dkvm", "/opt/dkvm/lib", "/share/2", "/shared/1/x", "/proc/1", "/proc/kcore/x", "/dev/shm"})
    void aMountThatNobodyPlannedIsNamed(String point) {
        assertThatThrownBy(() -> check(USUAL + "607 600 0:58 / " + point + " rw - overlay overlay rw\n"))
                .isInstanceOf(DkvmException.class)
                .hasMessage("\"" + point + "\" is mounted in the sandbox, and nobody planned that");
    }

    @Test
    void aTableThatTellsNothingIsRefused() {
        assertThatThrownBy(() -> check("")).hasMessageContaining("does not tell what is mounted");
        assertThatThrownBy(() -> MountCheck.of(directory.resolve("none"), PLANNED))
                .isInstanceOf(DkvmException.class);
    }
}
