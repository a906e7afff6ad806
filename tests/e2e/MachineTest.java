// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.SYSTEMD;

import org.junit.jupiter.api.Test;

/** What an ordinary container can not run: an init with all its services, and a Docker engine with containers of its own. */
@EndToEnd
class MachineTest {
    @Test
    void systemdStartsAnEngineThatRunsAContainerAndStopsCleanly() throws Exception {
        onVm(docker -> {
            Container machine = docker.start("--memory", "1g", "-v", docker.volume() + ":/var/lib/docker", SYSTEMD);
            SystemdTest.awaitSystem(docker, machine);
            assertThat(machine.exec("docker", "info", "--format", "{{.Driver}}").text())
                    .isEqualTo("overlay2");
            machine.exec("sh", "-c", "tar -C /usr/local/bin -c hello | docker import - hello");
            assertThat(machine.exec("docker", "run", "--rm", "hello", "/hello").text())
                    .startsWith("Hello from a container image!");
            docker.quietly("stop", "-t", "200", machine.name());
            assertThat(machine.inspect("{{.State.ExitCode}}")).isEqualTo("0");
        });
    }
}
