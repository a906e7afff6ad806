// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code --device}, {@code --privileged}, and namespaces of the host and of others. */
@EndToEnd
class DevicesTest {
    private static final int MIB = 1024 * 1024;

    /** Devices of drivers that some host has. */
    private static final List<String> DRIVERS =
            List.of("/dev/mem", "/dev/ttyS0", "/dev/rtc0", "/dev/tty1", "/dev/port");

    /** A block device of the host that begins with a text. */
    private record Loop(String device, Path file) implements AutoCloseable {
        static Loop of(Docker docker, String text) throws Exception {
            Path file = docker.directory().resolve("loop");
            Files.write(file, Arrays.copyOf(text.getBytes(StandardCharsets.US_ASCII), MIB));
            Outcome made = Running.complete(List.of("losetup", "--show", "-f", file.toString()), Bytes.of(""));
            assumeTrue(made.exitCode() == 0, "this host has no loop devices: " + made.errors());
            docker.alias(made.text().strip(), "the loop device");
            return new Loop(made.text().strip(), file);
        }

        @Override
        public void close() throws IOException {
            try {
                Host.run("losetup", "-d", device);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException(e);
            }
        }
    }

    @Test
    void aBlockDeviceIsAtThePlaceThatWasAskedForAndReadOnlyWhereThatWas() throws Exception {
        Transcript seen = assertSame(docker -> {
            try (Loop one = Loop.of(docker, "one\n");
                    Loop other = Loop.of(docker, "other\n")) {
                docker.run(
                        "--device=" + one.device + ":/dev/disk/sdz",
                        "--device=" + other.device + ":/dev/sdy:r",
                        BUSYBOX,
                        "sh",
                        "-c",
                        "head -n 1 /dev/disk/sdz /dev/sdy; stat -c '%n %F %a %u:%g' /dev/disk/sdz /dev/sdy;"
                                + " echo written | dd of=/dev/disk/sdz bs=512 seek=8 conv=fsync 2>/dev/null || echo bad;"
                                + " (echo x >/dev/sdy) 2>/dev/null || echo refused");
                byte[] bytes = Files.readAllBytes(one.file);
                assertThat(new String(bytes, 8 * 512, 7, StandardCharsets.US_ASCII))
                        .isEqualTo("written");
            }
        });
        assertThat(seen.first().stdout().utf8())
                .contains("one\n", "other\n", "/dev/disk/sdz block special file", "refused\n");
    }

    @Test
    void whatGuestsHaveIsTheirsWithTheSameModesAndOpens() throws Exception {
        assertSame(docker -> docker.run(
                "--device=/dev/fuse",
                "--device=/dev/net/tun:/dev/my/tun",
                "--device-cgroup-rule=b 7:* rwm",
                BUSYBOX,
                "sh",
                "-c",
                "stat -c '%n %F %a %u:%g %t:%T' /dev/fuse /dev/my/tun; exec 3<>/dev/fuse 4<>/dev/my/tun && echo open"));
    }

    @Test
    void theHostsUtsNamespaceIsItsName() throws Exception {
        assertSame(docker -> docker.run("--uts=host", "--cgroupns=host", "--userns=host", BUSYBOX, "hostname"));
    }

    @Test
    void whatAVmCanNotShareIsRefused() throws Exception {
        onVm(docker -> {
            String other = docker.peer(BUSYBOX, "sleep", "1000").name();
            refused(docker, "the host's PID namespace", "--pid=host");
            refused(docker, "another container's PID namespace", "--pid=container:" + other);
            refused(docker, "the host's IPC namespace", "--ipc=host");
            try (Loop loop = Loop.of(docker, "")) {
                refused(docker, "would not be in /dev/", "--device=" + loop.device + ":/mnt/disk");
            }
            for (String driver : DRIVERS) {
                if (Files.exists(Path.of(driver))) {
                    refused(
                            docker,
                            "device \"" + driver + "\" is a character device of the host",
                            "--device=" + driver);
                }
            }
        });
    }

    private static void refused(Docker docker, String why, String option) throws Exception {
        Container container = docker.create(option, BUSYBOX, "true");
        Outcome outcome = docker.attempt("start", container.name());
        assertThat(outcome.exitCode()).isNotZero();
        assertThat(outcome.errors()).contains("dkvm create failed: ", why);
        assertThat(container.inspect("{{.State.Status}}")).isEqualTo("created");
        Sandbox.assertNothingLeft(container.id());
    }

    @Test
    void privilegedIsSoInTheVmAndBringsTheSandboxNothing() throws Exception {
        onVm(docker -> {
            try (Loop loop = Loop.of(docker, "asked for\n")) {
                Container container = docker.start(
                        "--privileged",
                        "--device=" + loop.device + ":/dev/sdz",
                        BUSYBOX,
                        "sh",
                        "-c",
                        "mkdir /t && mount -t tmpfs none /t && head -n 1 /dev/sdz && exec sleep 1000");
                container.awaitLog("asked for");
                String init = "/proc/" + container.inspect("{{.State.Pid}}");
                String devices = init + "/root/dev";
                assertThat(Host.run("find", devices, "-type", "b").lines()).containsExactly(devices + "/dkvm-disk0");
                // As docs/security.md has them.
                assertThat(Files.readAllLines(Path.of(init, "status")))
                        .contains("CapEff:\t0000000000000020", "CapBnd:\t00000000880001fb");
            }
        });
    }
}
