// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;

import java.util.List;
import org.junit.jupiter.api.Test;

/** DKVM_MACHINE and DKVM_BIOS: what the VM is made of. */
@EndToEnd
class BoardsTest {
    private static final int NOT_STARTED = 125;
    private static final String ESCAPE = "\u001b";

    private static String disks(int count) {
        StringBuilder value = new StringBuilder("DKVM_DISKS=");
        for (int i = 0; i < count; i++) {
            value.append(i == 0 ? "" : ";")
                    .append("/d")
                    .append(i)
                    .append(",/mnt")
                    .append(i)
                    .append(",ext4,16M");
        }
        return value.toString();
    }

    @Test
    void anImageMayAskForAMicrovmAndTheCommandLineWins() throws Exception {
        onVm(docker -> {
            String image = docker.image("FROM " + BUSYBOX + "\nENV DKVM_MACHINE=microvm DKVM_DISKS=/d,/mnt,ext4,16M\n");
            String look = "ls /sys/bus/pci/devices | grep -c . ; nproc; grep -c ' /mnt ext4 ' /proc/mounts;"
                    + " cat /sys/class/net/eth0/operstate; cat /sys/devices/system/clocksource/clocksource0/current_clocksource;"
                    + " env | grep DKVM";
            String network = docker.network();
            List<String> micro = docker.exits(1)
                    .run("--network", network, "--cpus", "2", image, "sh", "-c", look)
                    .text()
                    .lines()
                    .toList();
            assertThat(micro).startsWith("0", "2", "1", "up").hasSize(5);
            // Steps of 10 ms would be too coarse for a guest.
            assertThat(micro.getLast()).isIn("tsc", "tsc-early", "kvm-clock");

            List<String> pc = docker.exits(1)
                    .run(
                            "--network",
                            network,
                            "--cpus",
                            "2",
                            "-e",
                            "DKVM_MACHINE=q35",
                            "-e",
                            "DKVM_DISKS=",
                            image,
                            "sh",
                            "-c",
                            look)
                    .text()
                    .lines()
                    .toList();
            assertThat(Integer.parseInt(pc.getFirst())).isGreaterThan(5);
            assertThat(pc.subList(1, 4)).containsExactly("2", "0", "up");
        });
    }

    @Test
    void aMicrovmHasRoomForFourDisksAndNetworks() throws Exception {
        onVm(docker -> {
            Outcome five = docker.attempt(runs(docker, disks(5)));
            assertThat(five.exitCode()).isEqualTo(NOT_STARTED);
            assertThat(five.errors())
                    .contains("create failed: the board \"microvm\" has room for 4 disks and networks in all, not for 5"
                            + " and 0; DKVM_MACHINE=q35 has room for more");
            Outcome four = docker.attempt(runs(docker, disks(4)));
            assertThat(four.exitCode()).isEqualTo(NOT_STARTED);
            assertThat(four.errors())
                    .isEqualTo("dkvm: the board \"microvm\" has room for 4 disks and networks in all, not for 4 and 1;"
                            + " DKVM_MACHINE=q35 has room for more");
        });
    }

    private static String[] runs(Docker docker, String disks) {
        List<String> command = docker.runCommand(docker.name(), "-e", "DKVM_MACHINE=microvm", "-e", disks, BUSYBOX);
        return command.subList(1, command.size()).toArray(String[]::new);
    }

    @Test
    void efiBootsADistributionsKernelAndSpeaksOnStandardError() throws Exception {
        onVm(docker -> {
            // Each further processor spins while OVMF starts.
            Outcome outcome = docker.run(
                    "--cpus",
                    "1",
                    "-e",
                    "DKVM_BIOS=EFI",
                    "-e",
                    "DKVM_BIOS_DEBUG=1",
                    "-e",
                    "DKVM_KERNEL_DEBUG=1",
                    BUSYBOX,
                    "sh",
                    "-c",
                    "uname -r; cat /sys/firmware/efi/fw_platform_size");
            assertThat(outcome.text()).matches(".+\\+deb.+-cloud-amd64\n64");
            assertThat(outcome.errors()).contains("EFI stub: ", "efi: EFI v").doesNotContain(ESCAPE);
        });
    }

    @Test
    void seaBiosSpeaksOnStandardError() throws Exception {
        onVm(docker -> {
            Outcome outcome =
                    docker.run("-e", "DKVM_BIOS=SeaBIOS", "-e", "DKVM_BIOS_DEBUG=1", BUSYBOX, "echo", "alone");
            assertThat(outcome.text()).isEqualTo("alone");
            assertThat(outcome.errors()).contains("SeaBIOS (version ").contains("Running on QEMU (q35)");
        });
    }
}
