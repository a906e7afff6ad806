// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** The host's default kernel is set to match the image's distribution: for a while, and for every container, so nothing else runs meanwhile. */
@EndToEnd
@Isolated
class KernelMatchTest {
    private static final Path CONFIG = Path.of("/etc/dkvm/dkvm.json");

    @Test
    void theDefaultMatchesTheImagesDistribution() throws Exception {
        onVm(docker -> {
            Path deb = Host.kernelPackage("bookworm", "cloud-amd64");
            String release = Host.kernelRelease(deb);
            String kernel = "ol/" + release + "." + docker.name();
            String oracle = docker.image("FROM " + BUSYBOX + "\nRUN echo ID=ol >/etc/os-release\n");
            String like = docker.image("FROM " + BUSYBOX
                    + "\nRUN echo ID=other >/etc/os-release && echo ID_LIKE=\"ol rhel\" >>/etc/os-release\n");
            String unknown = docker.image("FROM " + BUSYBOX + "\nRUN echo ID=fedora >/etc/os-release\n");
            String before = Files.exists(CONFIG) ? Files.readString(CONFIG) : "";
            try {
                Outcome added = Host.dkvm("kernel", "add", kernel, "--no-verify", "--from", deb.toString());
                assertThat(added.exitCode()).as(added.toString()).isZero();
                assertThat(Host.dkvm("kernel", "default", "match").exitCode()).isZero();
                assertThat(docker.run(oracle, "uname", "-r").text()).isEqualTo(release);
                assertThat(docker.run(like, "uname", "-r").text()).isEqualTo(release);
                assertThat(docker.run(unknown, "uname", "-r").text()).matches(".+\\+deb.+-cloud-amd64");
                assertThat(docker.run("-e", "DKVM_KERNEL=dkvm", oracle, "uname", "-r")
                                .text())
                        .endsWith("-dkvm");
            } finally {
                if (before.isEmpty()) {
                    Files.deleteIfExists(CONFIG);
                } else {
                    Files.writeString(CONFIG, before);
                }
                Host.dkvm("kernel", "rm", "--force", kernel);
            }
        });
    }
}
