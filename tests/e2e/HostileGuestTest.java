// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Images.BUSYBOX;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.opentest4j.TestAbortedException;

/**
 * Our kernel with a guest that means harm in the agent's place (native/tests/hostile_agent.c): whatever it sends, the monitor ends the VM with an error, within the
 * sandbox's memory, and the container is gone.
 */
@EndToEnd
@ResourceLock("the package's kernels and the caches")
class HostileGuestTest {
    private static final Path KERNELS = Path.of("/opt/dkvm/kernels");
    private static final String NAME = "e2e-hostile";
    private static final Path BUILD = Path.of("build/native").toAbsolutePath();

    @BeforeAll
    static void makeTheGuest() throws Exception {
        if (!Settings.subjectIsVm()) {
            throw new TestAbortedException(Settings.SUBJECT + " boots no VM");
        }
        Host.run("make", "-s", "-C", "native", "BUILD=" + BUILD, "hostile");
        Path directory = Files.createDirectories(KERNELS.resolve(NAME).resolve("1"));
        Path own = Files.isDirectory(KERNELS.resolve("dkvm")) ? KERNELS.resolve("dkvm/latest") : Path.of("");
        if (own.toString().isEmpty()) {
            throw new TestAbortedException("installed without our own kernel");
        }
        Files.copy(own.resolve("vmlinux"), directory.resolve("vmlinux"), StandardCopyOption.REPLACE_EXISTING);
        Files.copy(BUILD.resolve("hostile.cpio"), directory.resolve("initramfs"), StandardCopyOption.REPLACE_EXISTING);
    }

    @AfterAll
    static void removeTheGuest() throws Exception {
        if (Files.isDirectory(KERNELS.resolve(NAME))) {
            Host.removeTree(KERNELS.resolve(NAME));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "garbage, 125, the guest broke the protocol",
        "oversized, 125, the guest broke the protocol",
        "truncated, 125, the VM was lost",
        "disorder, 125, the guest broke the protocol",
        "unknown, 125, the guest broke the protocol",
        "forged, 125, the guest broke the protocol",
        "overdraft, 255, the guest broke the protocol",
        "credit, 255, the guest broke the protocol",
        "flood, 125, waited",
        "queries, 125, waited",
        "answers, 255, the guest broke the protocol",
        "sockets, 125, the guest broke the protocol",
    })
    void ends(String attack, int exitCode, String message) throws Exception {
        Transcript seen = Differential.onVm(docker -> {
            Container container = docker.create(
                    "--memory=64m",
                    "--env=DKVM_KERNEL=" + NAME + "/1",
                    "--env=DKVM_KERNEL_APPEND=hostile=" + attack,
                    BUSYBOX,
                    "true");
            docker.quietly("start", container.name());
            docker.note("exit code", docker.quietly("wait", container.name()));
            docker.note(
                    "log", docker.attempt("logs", "--tail=20", container.name()).errors());
            docker.note("out of memory", container.inspect("{{.State.OOMKilled}}"));
        });
        assertThat(seen.fact("exit code")).isEqualTo(String.valueOf(exitCode));
        assertThat(seen.fact("log")).contains("dkvm: ").contains(message);
        assertThat(seen.fact("out of memory")).isEqualTo("false");
    }
}
