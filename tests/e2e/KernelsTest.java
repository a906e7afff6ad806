// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.KERNEL;

import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which kernel a VM boots, its parameters, and its modules in the guest. A container has no kernel: there is nothing to compare with. */
@EndToEnd
@ResourceLock("the package's kernels and the caches")
class KernelsTest {
    private static final String OWN = ".+-dkvm";
    private static final String DEBIANS = ".+\\+deb.+-cloud-amd64";

    @Test
    void theDefaultIsDkvmsOwn() throws Exception {
        onVm(docker -> assertThat(docker.run(BUSYBOX, "uname", "-r").text()).matches(OWN));
    }

    @Test
    void debiansKernelBootsByItsName() throws Exception {
        onVm(docker -> assertThat(docker.run("-e", "DKVM_KERNEL=debian", BUSYBOX, "uname", "-r")
                        .text())
                .matches(DEBIANS));
    }

    @Test
    void anImagesOwnKernelBootsIt() throws Exception {
        onVm(docker -> {
            String text = docker.run(
                            KERNEL, "sh", "-c", "uname -r; ls /lib/modules; modprobe xfs; grep xfs /proc/filesystems")
                    .text();
            List<String> words = List.of(text.split("\\s+", -1));
            assertThat(words).hasSize(3).endsWith("xfs");
            assertThat(words.getFirst()).matches(DEBIANS).isEqualTo(words.get(1));
        });
    }

    @Test
    void whatIsAskedForWinsOverTheImagesOwn() throws Exception {
        onVm(docker -> assertThat(docker.run("-e", "DKVM_KERNEL=dkvm", KERNEL, "uname", "-r")
                        .text())
                .matches(OWN));
    }

    @ParameterizedTest
    @CsvSource({"ubuntu, vmlinuz, initrd.img", "alpine, vmlinuz-virt, initramfs-virt"})
    void otherDistributionsHaveTheirsElsewhere(String distribution, String kernel, String initrd) throws Exception {
        onVm(docker -> {
            String image = docker.image("FROM " + KERNEL + "\nRUN rm /vmlinuz /initrd.img && cd /boot && mv vmlinuz-* "
                    + kernel + " && mv initrd.img-* " + initrd + " && echo ID=" + distribution + " >/etc/os-release\n");
            assertThat(docker.run(image, "uname", "-r").text()).matches(DEBIANS);
        });
    }

    @Test
    void anImageOfAnotherDistributionIsNotSearched() throws Exception {
        onVm(docker -> {
            String image = docker.image("FROM " + KERNEL + "\nRUN echo ID=fedora >/etc/os-release\n");
            assertThat(docker.run(image, "uname", "-r").text()).matches(OWN);
        });
    }

    @Test
    void anImagesBrokenKernelIsAnErrorThatSaysHowToGoOn() throws Exception {
        onVm(docker -> {
            String image = docker.image("FROM " + BUSYBOX
                    + "\nRUN echo ID=debian >/etc/os-release && echo no kernel >/vmlinuz" + " && touch /initrd.img\n");
            Container container = docker.create(image, "true");
            Outcome outcome = docker.attempt("start", "-a", container.name());
            assertThat(outcome.exitCode()).isNotZero();
            assertThat(outcome.errors()).contains("is no Linux kernel");
            docker.quietly("rm", container.name());
            Sandbox.assertNothingLeft(container.id());
            assertThat(docker.run("-e", "DKVM_KERNEL=dkvm", image, "uname", "-r")
                            .text())
                    .matches(OWN);
        });
    }

    @Test
    void modulesComeToAnImageThatCanLoadThem() throws Exception {
        onVm(docker -> assertThat(docker.run(
                                "-e",
                                "DKVM_KERNEL=dkvm",
                                KERNEL,
                                "sh",
                                "-c",
                                "modprobe -a xfs wireguard; grep -c -w xfs /proc/filesystems; ip link add w type wireguard 2>&1;"
                                        + " touch /lib/modules/$(uname -r)/x 2>&1 | grep -o Read-only")
                        .text())
                .startsWith("1")
                .endsWith("Read-only"));
    }

    @Test
    void anImageThatCanNotLoadThemIsLeftAlone() throws Exception {
        onVm(docker -> assertThat(docker.run(BUSYBOX, "sh", "-c", "ls -d /lib/modules 2>/dev/null; echo end")
                        .text())
                .isEqualTo("end"));
    }

    @Test
    void modulesCoverTheDirectoryWhereAskedTo() throws Exception {
        onVm(docker -> {
            String image = docker.image("FROM " + BUSYBOX + "\nRUN mkdir -p /lib/modules/1.2.3\n");
            String names = "cd /lib/modules; for n in *; do [ $n = $(uname -r) ] && echo own || echo $n; done";
            assertThat(docker.run(image, "sh", "-c", names).text()).isEqualTo("1.2.3\nown");
            assertThat(docker.run(
                                    "-e",
                                    "DKVM_KERNEL_MOUNT_LIB_MODULES=1",
                                    image,
                                    "sh",
                                    "-c",
                                    names + "; modprobe btrfs; grep -o btrfs /proc/filesystems")
                            .text())
                    .isEqualTo("own\nbtrfs");
        });
    }

    @Test
    void aMountOfTheUsersIsNotCovered() throws Exception {
        onVm(docker -> assertThat(docker.run("-v", docker.volume() + ":/lib/modules", BUSYBOX, "ls", "/lib/modules")
                        .text())
                .isEmpty());
    }

    @Test
    void theKernelsLogIsShownBesideTheOutput() throws Exception {
        onVm(docker -> {
            Outcome outcome = docker.run("-e", "DKVM_KERNEL_DEBUG=1", BUSYBOX, "echo", "out");
            assertThat(outcome.text()).isEqualTo("out");
            assertThat(outcome.errors()).contains("Linux version").contains("Run /init");
        });
    }

    @Test
    void parametersReachTheKernel() throws Exception {
        onVm(docker -> assertThat(
                        docker.run("-e", "DKVM_KERNEL_APPEND=apparmor=0 own.text=x", BUSYBOX, "cat", "/proc/cmdline")
                                .text())
                .endsWith(" apparmor=0 own.text=x"));
    }

    @Test
    void theProcessorsClockIsTheHosts() throws Exception {
        onVm(docker -> {
            String said = docker.run(
                            "-e",
                            "DKVM_ACCEL=tcg",
                            BUSYBOX,
                            "sh",
                            "-c",
                            "sed 's/.* tsc_early_khz=\\([0-9]*\\).*/\\1/' /proc/cmdline; dmesg | grep -o 'tsc: Detected.* MHz'")
                    .text();
            long told = Long.parseLong(said.lines().findFirst().orElseThrow());
            assertThat(told).isBetween(100_000L, 20_000_000L);
            String megahertz = told / 1000 + "." + String.format(Locale.ROOT, "%03d", told % 1000);
            assertThat(said).contains("tsc: Detected " + megahertz + " MHz");
        });
    }

    @Test
    void anOptionMayStandInTheImage() throws Exception {
        onVm(docker -> {
            String image = docker.image("FROM " + BUSYBOX + "\nENV DKVM_KERNEL=debian\n");
            assertThat(docker.run(image, "uname", "-r").text()).matches(DEBIANS);
            assertThat(docker.run("-e", "DKVM_KERNEL=dkvm", image, "uname", "-r")
                            .text())
                    .matches(OWN);
        });
    }
}
