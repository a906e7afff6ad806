// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The administrator adds a distribution's kernel from its package, containers boot it, and it is removed again. */
@EndToEnd
class KernelCommandTest {
    /** The package's release, 6.1.0-56-cloud-amd64 out of linux-image-6.1.0-56-cloud-amd64_6.1.192-2_amd64.deb. */
    private static final Pattern PACKAGE = Pattern.compile("linux-image-([^_]+)_.*\\.deb");

    private static Outcome dkvm(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(Settings.COMMAND));
        command.addAll(List.of(arguments));
        return Running.complete(command, Bytes.of(""));
    }

    @Test
    void aKernelOfDebianIsAddedBootedAndRemoved() throws Exception {
        onVm(docker -> {
            Path deb = Path.of(Host.run("tests/images/kernel-package.sh").strip());
            Matcher matcher = PACKAGE.matcher(deb.getFileName().toString());
            assertThat(matcher.matches()).isTrue();
            String release = matcher.group(1);
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
