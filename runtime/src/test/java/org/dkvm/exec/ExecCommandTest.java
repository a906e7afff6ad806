// SPDX-License-Identifier: Apache-2.0
package org.dkvm.exec;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.dkvm.core.container.CapabilitySets;
import org.dkvm.core.container.Command;
import org.dkvm.core.container.ProcessRights;
import org.dkvm.core.container.ProcessUser;
import org.dkvm.core.container.ResourceLimit;
import org.dkvm.core.container.WorkloadProcess;
import org.junit.jupiter.api.Test;

class ExecCommandTest {
    @Test
    void aProcessInFullBecomesThisCommandLine() {
        WorkloadProcess process = new WorkloadProcess(
                new Command(List.of("ls", "-l", ""), "/srv", List.of("A=b"), true),
                true,
                new ProcessUser(5, 6, List.of(7L, 8L), 077),
                new ProcessRights(
                        new CapabilitySets(0x1ffL, 2, 3, 4, 0), true, List.of(new ResourceLimit(7, 1024, -1)), -5));
        assertThat(ExecCommand.of(process, 0))
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
                new Command(List.of("ls"), "/", List.of(), false),
                false,
                new ProcessUser(0, 0, List.of(), 022),
                new ProcessRights(new CapabilitySets(0, 0, 0, 0, 0), false, List.of(), 0));
        assertThat(ExecCommand.of(process, 0))
                .containsExactly(
                        "/opt/dkvm/dkvm-exec", "--user", "0:0", "--cwd", "/", "--caps", "0:0:0:0:0", "--", "ls");
    }
}
