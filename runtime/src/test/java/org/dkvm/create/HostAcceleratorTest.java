// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.bundle.options.Acceleration;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.json.Json;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostAcceleratorTest {
    @TempDir
    Path directory;

    private final List<String> warnings = new ArrayList<>();
    private HostAccelerator accelerator;
    private Path started;

    @BeforeEach
    void install() throws IOException {
        Path kernel = Files.createDirectories(directory.resolve("home/kernels/dkvm/latest"));
        Files.writeString(kernel.resolve("vmlinux"), "");
        Files.writeString(directory.resolve("home/VERSION"), "1.0\n");
        Files.writeString(directory.resolve("kvm"), "");
        started = directory.resolve("started");
        accelerator = new HostAccelerator(
                new PackageLayout(directory.resolve("home")),
                directory.resolve("state"),
                directory.resolve("kvm"),
                warnings::add);
    }

    /** The loader stands for QEMU: it counts its starts and then does as told. */
    private void qemuDoes(String what) throws IOException {
        Path loader = directory.resolve("home/sandbox/lib64/ld-linux-x86-64.so.2");
        Files.createDirectories(loader.getParent());
        Files.writeString(loader, "#!/bin/sh\necho x >> " + started + "\n" + what + "\n");
        Files.setPosixFilePermissions(loader, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @Test
    void aHostWhoseKvmBootsHasKvm() throws IOException, DkvmException {
        qemuDoes("printf xxxxxxxxxDKVM; exec sleep 60");
        assertThat(accelerator.choose(Acceleration.AUTO)).isEqualTo(Accelerator.KVM);
        assertThat(accelerator.choose(Acceleration.KVM)).isEqualTo(Accelerator.KVM);
        assertThat(Files.readAllLines(started)).hasSize(1);
        assertThat(warnings).isEmpty();
    }

    @Test
    void aHostWhoseKvmDoesNotBootHasTcgAndSaysSoOnce() throws IOException, DkvmException {
        qemuDoes("echo 'unhandled MSR' >&2; exit 1");
        assertThat(accelerator.choose(Acceleration.AUTO)).isEqualTo(Accelerator.TCG);
        assertThat(accelerator.choose(Acceleration.AUTO)).isEqualTo(Accelerator.TCG);
        assertThat(Files.readAllLines(started)).hasSize(1);
        assertThat(warnings)
                .containsExactly("KVM does not work on this host (QEMU ended: unhandled MSR): using TCG,"
                        + " which is slower; \"dkvm check\" tells more");
        assertThatThrownBy(() -> accelerator.choose(Acceleration.KVM))
                .hasMessage("KVM does not work on this host (QEMU ended: unhandled MSR)");
    }

    @Test
    void aVerdictOfAnotherBootOrPackageIsNotBelieved() throws IOException, DkvmException {
        qemuDoes("exit 1");
        Files.createDirectories(directory.resolve("state"));
        for (KvmVerdict old : List.of(
                new KvmVerdict("another", "1.0", true, ""),
                new KvmVerdict(
                        Files.readString(Path.of("/proc/sys/kernel/random/boot_id"))
                                .strip(),
                        "0.9",
                        true,
                        ""))) {
            Files.writeString(directory.resolve("state/accel.json"), Json.write(old.toJson()));
            assertThat(accelerator.choose(Acceleration.AUTO)).isEqualTo(Accelerator.TCG);
        }
        assertThat(Files.readAllLines(started)).hasSize(2);
    }

    @Test
    void aDamagedVerdictIsFoundOutAnew() throws IOException, DkvmException {
        qemuDoes("exit 1");
        Files.createDirectories(directory.resolve("state"));
        Files.writeString(directory.resolve("state/accel.json"), "{");
        assertThat(accelerator.choose(Acceleration.AUTO)).isEqualTo(Accelerator.TCG);
    }

    @Test
    void withoutTheDeviceNothingIsTried() throws IOException, DkvmException {
        qemuDoes("exit 1");
        Files.delete(directory.resolve("kvm"));
        assertThat(accelerator.choose(Acceleration.AUTO)).isEqualTo(Accelerator.TCG);
        assertThatThrownBy(() -> accelerator.choose(Acceleration.KVM)).hasMessageContaining("there is no ");
        assertThat(started).doesNotExist();
        assertThat(warnings).isEmpty();
    }

    @Test
    void tcgNeedsNothing() throws DkvmException {
        assertThat(accelerator.choose(Acceleration.TCG)).isEqualTo(Accelerator.TCG);
        assertThat(directory.resolve("state")).doesNotExist();
    }
}
