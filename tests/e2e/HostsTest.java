// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Hosts that are not as Debian makes them: a VM starts, is looked at, and ends there, too. */
@EndToEnd
class HostsTest {
    private static final Path PACKAGE = Path.of("build/package/dkvm").toAbsolutePath();

    /** What a host has, or has not; the engine inherits the environment of the last command. */
    enum OddHost {
        /** One shell for all commands, no bash and no tools of GNU's; a language whose capital of i is not I, and that is not there. */
        BUSYBOX("""
                mkdir /run/few
                busybox --install -s /run/few
                for program in dockerd docker containerd containerd-shim-runc-v2 docker-init docker-proxy runc ip; do
                    ln -sf "$(command -v $program)" /run/few/$program
                done
                rm -f /run/few/iptables /run/few/ip6tables /run/few/modprobe
                mount --bind "$(command -v busybox)" "$(readlink -f /bin/sh)"
                """, "env -i PATH=/run/few LC_ALL=tr_TR.UTF-8", "--iptables=false --ip6tables=false"),
        /** Nothing is written to /etc but by Docker, no program runs from /run, a file is for its owner only. */
        STRICT("""
                mkdir -p /etc/docker
                mount --bind /etc /etc
                mount -o remount,bind,ro /etc
                # The engine's own key.
                mount -t tmpfs tmpfs /etc/docker
                mount -o remount,noexec,nosuid,nodev /run
                """, "umask 077; exec env LC_ALL=C LANG=nowhere", "");

        private final String prepare;
        private final String environment;
        private final String options;

        OddHost(String prepare, String environment, String options) {
            this.prepare = prepare;
            this.environment = environment;
            this.options = options;
        }

        /** Installs the package, makes the host what it is, and starts an engine. */
        String script() {
            return "package/install.sh " + PACKAGE + " >/dev/null\n" + prepare
                    + "setsid --fork sh -c '" + environment + " \"$(command -v dockerd)\" " + options
                    + " --add-runtime dkvm=/opt/dkvm/scripts/dkvm-runtime' </dev/null >/var/log/dockerd.log 2>&1\n";
        }
    }

    @ParameterizedTest
    @EnumSource
    void aVmStartsIsLookedAtAndEnds(OddHost host) throws Exception {
        Differential.onVm(docker -> {
            Machine machine = Machine.start(host.script());
            try {
                machine.run(
                        "docker",
                        "run",
                        "-d",
                        "--name=vm",
                        "--runtime=dkvm",
                        "-v",
                        "/var/lib/v:/v",
                        "tools",
                        "/busybox",
                        "sh",
                        "-c",
                        "trap 'exit 5' TERM; echo of the guest >/v/file; echo ready; while :; do /busybox sleep 0.1; done");
                Deadline.await(
                        "the VM is ready",
                        () -> machine.run("docker", "logs", "vm").contains("ready"));
                Outcome logs = machine.attempt("docker", "logs", "vm");
                assertThat(List.of(logs.text(), logs.errors())).containsExactly("ready", "");
                assertThat(machine.run("docker", "exec", "vm", "/busybox", "uname", "-r"))
                        .endsWith("-dkvm");
                assertThat(machine.run("cat", "/var/lib/v/file")).isEqualTo("of the guest");
                assertThat(machine.run("/opt/dkvm/bin/dkvm", "ps")).contains("dkvm/");
                machine.run("docker", "stop", "-t", "100", "vm");
                assertThat(machine.run("docker", "inspect", "-f", "{{.State.ExitCode}}", "vm"))
                        .isEqualTo("5");
                machine.run("docker", "rm", "vm");
                assertThat(machine.shell("ls /run/dkvm/vms")).isEmpty();
            } finally {
                machine.end();
            }
        });
    }
}
