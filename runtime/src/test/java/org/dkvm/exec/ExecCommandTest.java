// SPDX-License-Identifier: Apache-2.0
package org.dkvm.exec;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.dkvm.core.container.CapabilitySets;
import org.dkvm.core.container.ResourceLimit;
import org.dkvm.core.container.WorkloadProcess;
import org.junit.jupiter.api.Test;

class ExecCommandTest {
    @Test
    void aProcessInFullBecomesThisCommandLine() {
        WorkloadProcess process = new WorkloadProcess(
                List.of("ls", "-l", ""),
                List.of("A=b"),
                "/srv",
                5,
                6,
                List.of(7L, 8L),
                true,
                new CapabilitySets(0x1ffL, 2, 3, 4, 0),
                true,
                List.of(new ResourceLimit(7, 1024, -1)),
                -5,
                true,
                077);
        assertThat(ExecCommand.of(process))
                .containsExactly(
                        "/opt/dkvm/dkvm-exec",
                        "--user",
                        "5:6",
                        "--groups",
                        "7,8",
                        "--cwd",
                        "/srv",
                        "--caps",
                        "1ff:2:3:4:0",
                        "--no-new-privs",
                        "--rlimit",
                        "7:1024:18446744073709551615",
                        "--oom-score-adj",
                        "-5",
                        "--set-home",
                        "--umask",
                        "63",
                        "--tty",
                        "--",
                        "ls",
                        "-l",
                        "");
    }

    @Test
    void whatIsAsUsualIsLeftOut() {
        WorkloadProcess process = new WorkloadProcess(
                List.of("ls"),
                List.of(),
                "/",
                0,
                0,
                List.of(),
                false,
                new CapabilitySets(0, 0, 0, 0, 0),
                false,
                List.of(),
                0,
                false,
                022);
        assertThat(ExecCommand.of(process))
                .containsExactly(
                        "/opt/dkvm/dkvm-exec", "--user", "0:0", "--cwd", "/", "--caps", "0:0:0:0:0", "--", "ls");
    }
}
