// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.SYSTEMD;

import org.junit.jupiter.api.Test;

/** An image whose entrypoint is systemd is a machine: what its services do, how it is spoken to, and how it ends. MachineTest has its Docker engine. */
@EndToEnd
class SystemdTest {
    /** An engine takes a minute of an emulated processor to start, and is not what is asked here. */
    private static final String NO_ENGINE =
            "DKVM_KERNEL_APPEND=systemd.mask=docker.service systemd.mask=docker.socket systemd.mask=containerd.service";

    @Test
    void aMachineRunsAndComesBackFromAReboot() throws Exception {
        onVm(docker -> {
            Container machine = docker.start(
                    "--restart=unless-stopped",
                    "--stop-signal=SIGTERM",
                    "--hostname=the-machine",
                    "-e",
                    NO_ENGINE + " systemd.show_status=yes",
                    SYSTEMD);
            awaitSystem(docker, machine);
            isAMachine(machine);
            servicesDoTheirWork(docker, machine);
            machine.awaitLog("Reached target ");
            // Above a login prompt: the prompt itself is half a line, which the engine keeps back.
            machine.awaitLog("the-machine console");
            machine.exec("sh", "-c", "echo this >/root/kept");
            docker.attempt(machine.execArguments("systemctl", "reboot"));
            Deadline.await(
                    "the reboot", () -> machine.inspect("{{.RestartCount}}").equals("1"));
            awaitSystem(docker, machine);
            assertThat(machine.exec("cat", "/root/kept").text()).isEqualTo("this");
            assertThat(machine.exec("journalctl", "-b", "-1", "--no-pager", "-t", "from-the-test", "-o", "cat")
                            .text())
                    .isEqualTo("a line by logger");
            docker.quietly("stop", "-t", "200", machine.name());
            assertThat(machine.inspect("{{.State.ExitCode}}")).isEqualTo("0");
            assertThat(docker.quietly("diff", machine.name()))
                    .doesNotContain("/opt/dkvm", "/.dkvm")
                    .contains("A /root/kept");
        });
    }

    private static void awaitSystem(Docker docker, Container machine) throws Exception {
        Deadline.await(
                "systemd has started all it should",
                () -> docker.attempt(machine.execArguments("systemctl", "is-system-running"))
                        .text()
                        .equals("running"));
    }

    private static void isAMachine(Container machine) throws Exception {
        assertThat(machine.exec("cat", "/proc/1/comm").text()).isEqualTo("systemd");
        assertThat(machine.exec("systemctl", "--failed", "--no-legend").text()).isEmpty();
        assertThat(machine.exec("systemctl", "is-active", "multi-user.target", "systemd-journald", "systemd-logind")
                        .text())
                .isEqualTo("active\nactive\nactive");
        assertThat(machine.exec("systemd-detect-virt").text()).isIn("qemu", "kvm");
        assertThat(machine.exec("systemd-detect-virt", "--vm").text()).isIn("qemu", "kvm");
        assertThat(machine.exec("-u", "nobody", "--", "systemd-detect-virt").text())
                .isIn("qemu", "kvm");
        assertThat(machine.exec("sh", "-c", "systemd-detect-virt --container || :")
                        .text())
                .isEqualTo("none");
        assertThat(machine.exec("hostname").text()).isEqualTo("the-machine");
    }

    private static void servicesDoTheirWork(Docker docker, Container machine) throws Exception {
        assertThat(machine.exec("systemd-run", "--uid=nobody", "--wait", "--pipe", "--quiet", "id", "-un")
                        .text())
                .isEqualTo("nobody");
        assertThat(machine.exec("su", "-", "-c", "loginctl show-session \"$XDG_SESSION_ID\" -p Name --value")
                        .text())
                .isEqualTo("root");
        machine.exec("logger", "-t", "from-the-test", "a line by logger");
        machine.exec(
                "systemd-run",
                "--quiet",
                "--on-active=1",
                "--timer-property=AccuracySec=10ms",
                "--unit=once",
                "echo",
                "the timer went off");
        assertThat(machine.exec("systemctl", "list-timers", "--all", "--no-legend")
                        .text())
                .contains("systemd-tmpfiles-clean.timer");
        Deadline.await(
                "a timer's output in the journal",
                () -> docker.attempt(machine.execArguments("journalctl", "-b", "--no-pager", "-o", "cat", "-u", "once"))
                        .text()
                        .contains("the timer went off"));
    }
}
