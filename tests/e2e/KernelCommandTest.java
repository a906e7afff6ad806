// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;

import java.nio.file.Path;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The administrator adds a distribution's kernel from its package, containers boot it, and it is removed again. */
@EndToEnd
@ResourceLock("the package's kernels and the caches")
class KernelCommandTest {
    private static Outcome dkvm(String... arguments) throws Exception {
        return Host.dkvm(arguments);
    }

    @Test
    void aKernelOfDebianIsAddedBootedAndRemoved() throws Exception {
        onVm(docker -> {
            Path deb = Host.kernelPackage("bookworm", "cloud-amd64");
            String release = Host.kernelRelease(deb);
            // A name of its own: the administrator of this host may have the real one.
            String kernel = "bookworm/" + release + "." + docker.name();
            try {
                Outcome added = dkvm("kernel", "add", kernel, "--from", deb.toString());
                assertThat(added.exitCode()).as(added.toString()).isZero();
                assertThat(added.text()).contains("booted: ").contains(kernel + ": added");
                assertThat(dkvm("kernel", "ls").text()).containsPattern(Pattern.quote(kernel) + " +[0-9]+ MiB +added");
                assertThat(docker.run("-e", "DKVM_KERNEL=" + kernel, BUSYBOX, "uname", "-r")
                                .text())
                        .isEqualTo(release);

                Outcome again = dkvm("kernel", "add", kernel, "--from", deb.toString());
                assertThat(again.exitCode()).isEqualTo(1);
                assertThat(again.errors()).contains("is there already");

                Container container = docker.start("-e", "DKVM_KERNEL=" + kernel, BUSYBOX, "sleep", "100000");
                Outcome busy = dkvm("kernel", "rm", kernel);
                assertThat(busy.exitCode()).isEqualTo(1);
                assertThat(busy.errors()).contains("is in use by a VM");
                docker.quietly("rm", "-f", container.name());
                Deadline.await(
                        "the sandbox to be gone",
                        () -> dkvm("kernel", "rm", kernel).exitCode() == 0);

                Outcome gone = dkvm("kernel", "rm", kernel);
                assertThat(gone.exitCode()).isEqualTo(1);
                assertThat(gone.errors()).contains("not found");
                assertThat(dkvm("kernel", "ls").text()).doesNotContain(kernel);
            } finally {
                dkvm("kernel", "rm", "--force", kernel);
            }
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"bookworm", "trixie"})
    void aKernelForAllKindsOfMachinesBootsAndLoadsItsModules(String suite) throws Exception {
        onVm(docker -> {
            Path deb = Host.kernelPackage(suite, "amd64");
            String release = Host.kernelRelease(deb);
            String kernel = suite + "/" + release + "." + docker.name();
            try {
                Outcome added = dkvm("kernel", "add", kernel, "--no-verify", "--from", deb.toString());
                assertThat(added.exitCode()).as(added.toString()).isZero();
                String said = docker.run(
                                "-e",
                                "DKVM_KERNEL=" + kernel,
                                "-e",
                                "DKVM_KERNEL_MOUNT_LIB_MODULES=1",
                                BUSYBOX,
                                "sh",
                                "-c",
                                "uname -r; ls /lib/modules; modprobe xfs; grep -o xfs /proc/filesystems")
                        .text();
                assertThat(said).isEqualTo(release + "\n" + release + "\nxfs");
            } finally {
                dkvm("kernel", "rm", "--force", kernel);
            }
        });
    }

    @Test
    void whatIsNoKernelLeavesNothing() throws Exception {
        onVm(docker -> {
            String kernel = "e2e/" + docker.name();
            Outcome outcome = dkvm("kernel", "add", kernel, "--from", "/etc/passwd");
            assertThat(outcome.exitCode()).isEqualTo(1);
            assertThat(outcome.errors()).contains("it is no deb, rpm or apk");
            assertThat(dkvm("kernel", "ls").text()).doesNotContain(kernel);
        });
    }

    @Test
    void aCommandCalledWronglyEndsWithTwo() throws Exception {
        onVm(docker -> {
            assertThat(dkvm("kernel").exitCode()).isEqualTo(2);
            assertThat(dkvm("kernel", "add", "e2e/1").exitCode()).isEqualTo(2);
            assertThat(dkvm("kernel", "rm", "--no-such-option").exitCode()).isEqualTo(2);
        });
    }
}
