// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.dkvm.core.container.ResourceLimit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OpenFilesTest {
    private static final List<ResourceLimit> LIMITS =
            List.of(new ResourceLimit(4, 0, -1), new ResourceLimit(7, 1024, 4096));
    private static final String WITH_SYS_RESOURCE = "Name:\tx\nCapEff:\t000001ffffffffff\n";
    private static final String WITHOUT = "Name:\tx\nCapEff:\t000001fffeffffff\n";
    private static final String HOST = "         0          0 4294967295\n";
    private static final String USER_NAMESPACE = "         0     100000      65536\n";

    @Test
    void whoMayRaiseLimitsGivesWhatTheKernelAllows() {
        assertThat(OpenFiles.most(LIMITS, WITH_SYS_RESOURCE, HOST, "1048576\n")).isEqualTo(1_048_576);
    }

    @Test
    void whoMayNotGivesTheHardLimitItHas() {
        assertThat(OpenFiles.most(LIMITS, WITHOUT, HOST, "1048576\n")).isEqualTo(4096);
    }

    @Test
    void inAUserNamespaceNobodyMay() {
        assertThat(OpenFiles.most(LIMITS, WITH_SYS_RESOURCE, USER_NAMESPACE, "1048576\n"))
                .isEqualTo(4096);
    }

    @Test
    void aMillionIsTheMost() {
        assertThat(OpenFiles.most(LIMITS, WITH_SYS_RESOURCE, HOST, "1073741816\n"))
                .isEqualTo(1_048_576);
        assertThat(OpenFiles.most(List.of(new ResourceLimit(7, -1, -1)), WITHOUT, HOST, "1073741816\n"))
                .isEqualTo(1_048_576);
    }

    @Test
    void aLimitThatIsNotKnownIsNone() {
        assertThat(OpenFiles.most(List.of(), WITHOUT, HOST, "1048576\n")).isZero();
    }

    @Test
    void ownDescriptorsAreCounted() {
        long own = ProcessHandle.current().pid();
        assertThat(OpenFiles.countOf(own)).isGreaterThan(2);
        assertThat(OpenFiles.limitOf(own)).isGreaterThanOrEqualTo(OpenFiles.countOf(own));
        assertThat(OpenFiles.most()).isGreaterThanOrEqualTo(Math.min(1 << 20, OpenFiles.limitOf(own)));
    }

    /** The kernel gives nothing more to who has read a part of a number. */
    @Test
    void settingsAreReadWhole() throws Exception {
        for (String name : List.of("fs/nr_open", "kernel/pid_max", "kernel/hostname")) {
            Path setting = Path.of("/proc/sys", name);
            assertThat(HostFiles.setting(setting))
                    .isEqualTo(Files.readAllLines(setting).getFirst());
        }
    }

    @Test
    void aKernelThatSaysNoSizeHasThemCounted(@TempDir Path directory) throws Exception {
        Files.createFile(directory.resolve("0"));
        Files.createFile(directory.resolve("1"));
        assertThat(OpenFiles.listed(directory)).isEqualTo(2);
    }

    @Test
    void aProcessThatIsGoneHasNeither() {
        assertThat(OpenFiles.countOf(Long.MAX_VALUE)).isEqualTo(-1);
        assertThat(OpenFiles.limitOf(Long.MAX_VALUE)).isZero();
    }
}
