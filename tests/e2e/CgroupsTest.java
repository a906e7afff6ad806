// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code DKVM_CGROUPFS}: the control groups that the workload finds. */
@EndToEnd
class CgroupsTest {
    private static final String MOUNTS = "awk '$2 ~ \"^/sys/fs/cgroup\" {print $2 \" \" $3}' /proc/mounts | sort";

    /** What is there, and that it can be used: a group of one's own with a limit, and the container's own limit of processes. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "none   |                          |                               | ",
                "1      | tmpfs                    | memory:pids:cpu,cpuacct:systemd | /memory/own/memory.limit_in_bytes",
                "2      | cgroup2                  |                               | ",
                "hybrid | tmpfs                    | memory:pids:cpu,cpuacct:systemd:unified | /memory/own/memory.limit_in_bytes"
            })
    void theHierarchiesAreThere(String value, String root, String hierarchies, String limit) throws Exception {
        onVm(docker -> {
            Container container =
                    docker.start("-e", "DKVM_CGROUPFS=" + value, "--pids-limit", "30", BUSYBOX, "sleep", "100000");
            List<String> mounts =
                    container.exec("sh", "-c", MOUNTS).text().lines().toList();
            if (root == null) {
                assertThat(mounts).isEmpty();
            } else {
                assertThat(mounts).contains("/sys/fs/cgroup " + root);
            }
            if (hierarchies != null) {
                for (String name : hierarchies.split(":", -1)) {
                    assertThat(mounts)
                            .contains("/sys/fs/cgroup/" + name + (name.equals("unified") ? " cgroup2" : " cgroup"));
                }
            }
            if (limit != null) {
                assertThat(container
                                .exec(
                                        "sh",
                                        "-c",
                                        "mkdir ${0%/*} && echo 33554432 >$0 && cat $0",
                                        "/sys/fs/cgroup" + limit)
                                .text())
                        .isEqualTo("33554432");
            }
            if (value.equals("2")) {
                assertThat(container
                                .exec("cat", "/sys/fs/cgroup/cgroup.controllers")
                                .text()
                                .split(" ", -1))
                        .contains("cpu", "memory", "io", "pids");
            }
            assertThat(docker.attempt(container.execArguments("sh", "-c", "for i in $(seq 40); do sleep 100000 & done"))
                            .errors())
                    .contains("can't fork");
        });
    }

    @Test
    void anInitMayMakeGroupsOfItsOwnAndTheLimitHolds() throws Exception {
        onVm(docker -> {
            Container container = docker.start("--pids-limit", "30", BUSYBOX, "sleep", "100000");
            // There are no processes beside groups that have controllers.
            container.exec(
                    "sh",
                    "-c",
                    "cd /sys/fs/cgroup; mkdir init.scope; for p in $(cat cgroup.procs); do echo $p >init.scope/cgroup.procs; done;"
                            + " echo +memory +pids >cgroup.subtree_control");
            assertThat(container.exec("cat", "/proc/self/cgroup").text()).isEqualTo("0::/init.scope");
            assertThat(docker.attempt(container.execArguments("sh", "-c", "for i in $(seq 40); do sleep 100000 & done"))
                            .errors())
                    .contains("can't fork");
        });
    }
}
