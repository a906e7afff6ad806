// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import org.dkvm.core.DkvmException;
import org.dkvm.core.VersionOrder;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class KernelShelfTest {
    @TempDir
    Path directory;

    private Path kernels;

    @BeforeEach
    void ship() throws IOException {
        kernels = directory.resolve("kernels");
        Files.createDirectories(kernels.resolve("dkvm/6.12.9"));
        Files.createFile(kernels.resolve("dkvm/6.12.9/vmlinux"));
        Files.createFile(kernels.resolve("dkvm/6.12.9/.shipped"));
        Files.createSymbolicLink(kernels.resolve("dkvm/latest"), Path.of("6.12.9"));
    }

    private boolean add(String name) throws IOException, DkvmException {
        try (KernelShelf shelf = KernelShelf.open(kernels)) {
            Path made = Files.createDirectory(shelf.work().resolve("kernel"));
            Files.createFile(made.resolve("vmlinuz"));
            return shelf.publish(KernelName.parse(name), made);
        }
    }

    private void remove(String name) throws DkvmException {
        try (KernelShelf shelf = KernelShelf.open(kernels)) {
            shelf.remove(KernelName.parse(name));
        }
    }

    private String latest(String dist) throws IOException {
        return Files.readSymbolicLink(kernels.resolve(dist).resolve("latest")).toString();
    }

    @Test
    void latestIsTheNewestByVersion() throws Exception {
        assertThat(add("alpine/6.6.9")).isTrue();
        assertThat(add("alpine/6.6.10")).isTrue();
        assertThat(add("alpine/6.6.2")).isFalse();
        assertThat(latest("alpine")).isEqualTo("6.6.10");
        remove("alpine/6.6.10");
        assertThat(latest("alpine")).isEqualTo("6.6.9");
        remove("alpine/6.6.2");
        assertThat(latest("alpine")).isEqualTo("6.6.9");
    }

    @Test
    void theLastOneLeavesNothing() throws Exception {
        add("alpine/6.6");
        remove("alpine/6.6");
        assertThat(kernels.resolve("alpine")).doesNotExist();
        try (var left = Files.list(kernels)) {
            assertThat(left.map(path -> path.getFileName().toString())).containsExactlyInAnyOrder("dkvm", ".lock");
        }
    }

    @Test
    void aNameIsGivenOnce() throws Exception {
        add("alpine/6.6");
        assertThatThrownBy(() -> add("alpine/6.6"))
                .isInstanceOfSatisfying(
                        DkvmException.class,
                        e -> assertThat(e.text())
                                .isEqualTo("kernel \"alpine/6.6\" is there already; \"dkvm kernel rm alpine/6.6\""
                                        + " removes it, or give another version"));
    }

    @Test
    void whatAnInterruptedCallLeftIsRemoved() throws Exception {
        Path left = Files.createDirectories(kernels.resolve(".work-123/kernel"));
        KernelShelf.open(kernels).close();
        assertThat(left.getParent()).doesNotExist();
        assertThat(KernelShelf.list(kernels)).hasSize(1);
    }

    @Test
    void theListTellsWhatShippedAndWhatIsLatest() throws Exception {
        add("dkvm/6.12.10");
        assertThat(KernelShelf.list(kernels))
                .containsExactly(
                        new KernelShelf.Entry(
                                new KernelName("dkvm", "6.12.9"), kernels.resolve("dkvm/6.12.9"), true, false),
                        new KernelShelf.Entry(
                                new KernelName("dkvm", "6.12.10"), kernels.resolve("dkvm/6.12.10"), false, true));
    }

    @Test
    void aLinkToAnotherDistributionIsListedAsSuch() throws Exception {
        Files.createDirectories(kernels.resolve("none"));
        Files.createSymbolicLink(kernels.resolve("none/latest"), Path.of("../dkvm/6.12.9"));
        assertThat(KernelShelf.links(kernels)).isEqualTo(List.of(new KernelShelf.Link("none/latest", "dkvm/6.12.9")));
    }

    @Test
    void aKernelIsReadableByAll() throws Exception {
        add("alpine/6.6");
        assertThat(Files.getAttribute(kernels.resolve("alpine/6.6"), "unix:mode", LinkOption.NOFOLLOW_LINKS))
                .isEqualTo(040755);
        assertThat(Files.getAttribute(kernels.resolve("alpine/6.6/vmlinuz"), "unix:mode"))
                .isEqualTo(0100644);
    }

    @Test
    void theDefaultLosesItsTargetWithTheLastKernel() throws Exception {
        try (KernelShelf shelf = KernelShelf.open(kernels)) {
            KernelName only = KernelName.parse("dkvm/6.12.9");
            assertThat(shelf.losesTarget("dkvm", only)).isTrue();
            assertThat(shelf.losesTarget("dkvm/6.12.9", only)).isTrue();
            assertThat(shelf.losesTarget("dkvm", KernelName.parse("debian/1"))).isFalse();
        }
        add("dkvm/6.12.10");
        try (KernelShelf shelf = KernelShelf.open(kernels)) {
            KernelName newer = KernelName.parse("dkvm/6.12.10");
            assertThat(shelf.losesTarget("dkvm", newer)).isFalse();
            assertThat(shelf.losesTarget("dkvm/6.12.10", newer)).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "dkvm",
                "dkvm/",
                "/6.6",
                "../6.6",
                "a/..",
                "a/.hidden",
                ".a/1",
                "-a/1",
                "a/1/2",
                "a/latest",
                "a b/1"
            })
    void aNameIsNoPath(String name) {
        assertThatThrownBy(() -> KernelName.parse(name)).isInstanceOf(DkvmException.class);
    }

    @ParameterizedTest
    @CsvSource({
        "6.1.0-9, 6.1.0-10",
        "6.9, 6.12",
        "6.12, 6.12.1",
        "6.13-rc1, 6.13",
        "6.13-rc9, 6.13-rc10",
        "6.12.1~bpo, 6.12.1",
        "5.4, v5.4",
        "6.01, 6.1",
        "99999999999999999999, 100000000000000000000"
    })
    void versionsHaveAnOrder(String older, String newer) {
        assertThat(VersionOrder.OLDEST_FIRST.compare(older, newer)).isNegative();
        assertThat(VersionOrder.OLDEST_FIRST.compare(newer, older)).isPositive();
    }

    @Test
    void aSandboxWithItsDirectoryMountedUsesAKernel() throws Exception {
        Path kernel = kernels.resolve("dkvm/6.12.9");
        Path proc = directory.resolve("proc");
        Files.createDirectories(proc.resolve("12/root/opt/dkvm"));
        Files.createDirectories(proc.resolve("self"));
        assertThat(KernelUse.isInUse(kernel, proc)).isFalse();
        // A bind mount looks like the same directory, as the link does here.
        Files.createSymbolicLink(proc.resolve("12/root/opt/dkvm/kernel"), kernel);
        assertThat(KernelUse.isInUse(kernel, proc)).isTrue();
    }
}
