// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.BUSYBOX_ARM64;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** An image of another architecture runs as any other. A container can not have one: there is nothing to compare with. */
@EndToEnd
class ArchitecturesTest {
    private static final String PLATFORM = "--platform=linux/arm64";
    private static final String KERNEL = ".+\\+deb.+-cloud-arm64";

    @Test
    void anImageForArm64HasAVmOfItsArchitecture() throws Exception {
        onVm(docker -> {
            Outcome outcome =
                    docker.run(PLATFORM, BUSYBOX_ARM64, "sh", "-c", "uname -m; uname -r; echo complaint >&2; exit 42");
            assertThat(outcome.exitCode()).isEqualTo(42);
            assertThat(outcome.text()).matches("aarch64\n" + KERNEL);
            assertThat(outcome.errors()).isEqualTo("complaint");
        });
    }

    @Test
    void whatAContainerHasAForeignOneHas() throws Exception {
        onVm(docker -> {
            String volume = docker.volume();
            Container container = docker.start(
                    PLATFORM,
                    "--cpus=2",
                    "-p",
                    "127.0.0.1::80",
                    "-v",
                    volume + ":/v",
                    "-e",
                    "DKVM_DISKS=/disk,/data,ext4,64M",
                    BUSYBOX_ARM64,
                    "sh",
                    "-c",
                    "uname -m >/v/machine; cp -a /etc /data && ls /data/etc; echo ready; httpd -f -p 80 -h /v");
            container.awaitLog("ready");
            assertThat(container.log()).contains("passwd");
            assertThat(container.exec("uname", "-m").text()).isEqualTo("aarch64");
            assertThat(container
                            .exec(docker.exits(7).stdin("piped"), "-i", "--", "sh", "-c", "cat; exit 7")
                            .text())
                    .isEqualTo("piped");
            assertThat(container.exec("nproc").text())
                    .isEqualTo(String.valueOf(Math.min(2, Runtime.getRuntime().availableProcessors())));
            assertThat(container
                            .exec("grep", "-c", "/data ext4", "/proc/mounts")
                            .text())
                    .isEqualTo("1");
            int port = Host.port(docker.quietly("port", container.name(), "80"));
            String[] fetch = {"curl", "-sf", "--max-time", "20", "http://127.0.0.1:" + port + "/machine"};
            Deadline.await(
                    "the port answers",
                    () -> Running.complete(List.of(fetch), Bytes.of("")).exitCode() == 0);
            assertThat(Host.run(fetch)).isEqualTo("aarch64");
            docker.quietly("stop", container.name());
            assertThat(docker.run("-v", volume + ":/v", BUSYBOX, "sh", "-c", "cat /v/machine; uname -m")
                            .text())
                    .isEqualTo("aarch64\nx86_64");
        });
    }

    @Test
    void theOptionWinsOverTheProgram() throws Exception {
        onVm(docker -> {
            // The program is the host's, what it is to start is not: only a VM for arm64 can.
            Outcome outcome = docker.run("-e", "DKVM_ARCH=arm64", BUSYBOX, "uname", "-m");
            assertThat(outcome.exitCode()).isNotZero();
            assertThat(outcome.errors()).contains("exec format error");
        });
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "DKVM_KERNEL=dkvm|is for amd64, the image for arm64; DKVM_KERNEL=debian boots Debian's for arm64",
                "DKVM_ACCEL=kvm|KVM can not run an image for arm64",
                "DKVM_ARCH=riscv64|option \"DKVM_ARCH\" has the value \"riscv64\"; give amd64 or arm64"
            })
    void whatAForeignVmCanNotHaveIsRefused(String option, String message) throws Exception {
        onVm(docker -> refused(docker, message, PLATFORM, "-e", option, BUSYBOX_ARM64, "true"));
    }

    @Test
    void aKernelForArm64IsRefusedForAnImageOfTheHosts() throws Exception {
        onVm(docker -> refused(
                docker, "is for arm64, the image for amd64", "-e", "DKVM_KERNEL=debian-arm64", BUSYBOX, "true"));
    }

    @Test
    void anArchitectureWithoutVmsIsNamed() throws Exception {
        onVm(docker -> {
            // A 64-bit little-endian program of ELF machine 243, 0xf3.
            String header = "\\177ELF\\002\\001\\001" + "\\000".repeat(9) + "\\002\\000\\363\\000";
            String image =
                    docker.image("FROM " + BUSYBOX + "\nRUN printf '" + header + "' >/program && chmod 755 /program\n");
            refused(docker, "the image is built for riscv64: its program \"/program\" says so", image, "/program");
        });
    }

    /** Nothing is started, and nothing is left. */
    private static void refused(Docker docker, String message, String... arguments) throws Exception {
        Container container = docker.create(arguments);
        Outcome outcome = docker.attempt("start", "-a", container.name());
        assertThat(outcome.exitCode()).isNotZero();
        assertThat(outcome.errors()).contains(message);
        docker.quietly("rm", container.name());
        Sandbox.assertNothingLeft(container.id());
    }
}
