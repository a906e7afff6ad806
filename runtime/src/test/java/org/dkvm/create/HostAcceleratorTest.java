// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
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

    private static final Duration LIMIT = Duration.ofMillis(500);
    private static final String WORKS = "printf xxxxxxxxxDKVM; exec sleep 60";
    private static final String FAILS = "echo 'qemu-system-x86_64: unhandled MSR' >&2; exit 1";
    private static final String BUSY = "echo 'qemu-system-x86_64: Device or resource busy' >&2; exit 1";

    private final List<String> warnings = new ArrayList<>();
    private Duration uptime = Duration.ofMinutes(1);
    private HostAccelerator accelerator;

    @BeforeEach
    void install() throws IOException {
        Path kernel = Files.createDirectories(directory.resolve("home/kernels/dkvm/latest"));
        Files.writeString(kernel.resolve("vmlinux"), "");
        Files.writeString(directory.resolve("home/VERSION"), "1.0\n");
        Files.writeString(directory.resolve("kvm"), "");
        Jobs jobs = new Jobs(
                new PackageLayout(directory.resolve("home")),
                directory.resolve("runc.sh").toString(),
                directory.resolve("jobs"));
        accelerator = new HostAccelerator(
                jobs,
                LIMIT,
                directory.resolve("state"),
                directory.resolve("kvm"),
                () -> uptime.toNanos(),
                warnings::add);
    }

    private void qemuDoes(String what) throws IOException {
        PlayedRunc.write(directory, what);
    }

    private int started() throws IOException {
        return PlayedRunc.runs(directory);
    }

    private KvmVerdict kept() throws DkvmException {
        return KvmVerdict.fromJson(Json.readObject(directory.resolve("state/accel.json")))
                .orElseThrow();
    }

    @Test
    void aHostWhoseKvmBootsHasKvm() throws IOException, DkvmException {
        qemuDoes(WORKS);
        assertThat(accelerator.choose(Acceleration.AUTO)).isEqualTo(Accelerator.KVM);
        assertThat(accelerator.choose(Acceleration.KVM)).isEqualTo(Accelerator.KVM);
        assertThat(started()).isEqualTo(1);
        assertThat(warnings).isEmpty();
    }

    @Test
    void aHostWhoseKvmDoesNotBootHasTcgAndSaysSoOnce() throws IOException, DkvmException {
        qemuDoes(FAILS);
        assertThat(accelerator.choose(Acceleration.AUTO)).isEqualTo(Accelerator.TCG);
        assertThat(accelerator.choose(Acceleration.AUTO)).isEqualTo(Accelerator.TCG);
        assertThat(started()).isEqualTo(1);
        assertThat(warnings)
                .containsExactly(
                        "KVM does not work on this host (QEMU ended: qemu-system-x86_64: unhandled MSR): using TCG,"
                                + " which is slower; \"dkvm check\" tells more");
        assertThatThrownBy(() -> accelerator.choose(Acceleration.KVM))
                .hasMessage("KVM does not work on this host (QEMU ended: qemu-system-x86_64: unhandled MSR)");
    }

    @Test
    void aVerdictOfAnotherBootOrPackageIsNotBelieved() throws IOException, DkvmException {
        qemuDoes(FAILS);
        Files.createDirectories(directory.resolve("state"));
        for (KvmVerdict old : List.of(
                new KvmVerdict("another", "1.0", true, "", 0, Duration.ZERO),
                new KvmVerdict(
                        Files.readString(Path.of("/proc/sys/kernel/random/boot_id"))
                                .strip(),
                        "0.9",
                        true,
                        "",
                        0,
                        Duration.ZERO))) {
            Files.writeString(directory.resolve("state/accel.json"), Json.write(old.toJson()));
            assertThat(accelerator.choose(Acceleration.AUTO)).isEqualTo(Accelerator.TCG);
        }
        assertThat(started()).isEqualTo(2);
    }

    @Test
    void aDamagedVerdictIsFoundOutAnew() throws IOException, DkvmException {
        qemuDoes(FAILS);
        Files.createDirectories(directory.resolve("state"));
        Files.writeString(directory.resolve("state/accel.json"), "{");
        assertThat(accelerator.choose(Acceleration.AUTO)).isEqualTo(Accelerator.TCG);
    }

    @Test
    void withoutTheDeviceNothingIsTried() throws IOException, DkvmException {
        qemuDoes(FAILS);
        Files.delete(directory.resolve("kvm"));
        assertThat(accelerator.choose(Acceleration.AUTO)).isEqualTo(Accelerator.TCG);
        assertThatThrownBy(() -> accelerator.choose(Acceleration.KVM)).hasMessageContaining("there is no ");
        assertThat(started()).isZero();
        assertThat(warnings).isEmpty();
    }

    @Test
    void tcgNeedsNothing() throws DkvmException {
        assertThat(accelerator.choose(Acceleration.TCG)).isEqualTo(Accelerator.TCG);
        assertThat(directory.resolve("state")).doesNotExist();
    }

    @Test
    void whatIsNotSureIsTriedAgainLater() throws IOException, DkvmException {
        for (String unsure : List.of("exec sleep 60", BUSY)) {
            Files.deleteIfExists(directory.resolve("state/accel.json"));
            Files.deleteIfExists(directory.resolve("calls"));
            qemuDoes(unsure);
            assertThat(accelerator.choose(Acceleration.AUTO)).isEqualTo(Accelerator.TCG);
            assertThat(kept().tries()).isEqualTo(1);
            uptime = uptime.plusSeconds(59);
            assertThat(accelerator.choose(Acceleration.AUTO)).isEqualTo(Accelerator.TCG);
            assertThat(started()).isEqualTo(1);
            uptime = uptime.plusSeconds(1);
            assertThat(accelerator.choose(Acceleration.AUTO)).isEqualTo(Accelerator.TCG);
            assertThat(started()).isEqualTo(2);
            // The next wait is four times as long.
            uptime = uptime.plusSeconds(239);
            qemuDoes(WORKS);
            assertThat(accelerator.choose(Acceleration.AUTO)).isEqualTo(Accelerator.TCG);
            uptime = uptime.plusSeconds(1);
            assertThat(accelerator.choose(Acceleration.AUTO)).isEqualTo(Accelerator.KVM);
            assertThat(accelerator.choose(Acceleration.AUTO)).isEqualTo(Accelerator.KVM);
            assertThat(started()).isEqualTo(3);
        }
    }

    @Test
    void aHostThatNeverAnswersIsLeftAloneInTheEnd() throws IOException, DkvmException {
        qemuDoes(BUSY);
        for (int i = 0; i < 10; i++) {
            assertThat(accelerator.choose(Acceleration.AUTO)).isEqualTo(Accelerator.TCG);
            uptime = uptime.plusDays(1);
        }
        assertThat(started()).isEqualTo(5);
        assertThat(warnings).hasSize(1);
    }

    @Test
    void oneThatLooksAgainDoesNotKeepTheOthersWaiting() throws Exception {
        qemuDoes(BUSY);
        assertThat(accelerator.choose(Acceleration.AUTO)).isEqualTo(Accelerator.TCG);
        uptime = uptime.plusDays(1);
        // Another process has the lock: in this one it can not be had twice.
        Path lock = directory.resolve("state/accel.lock");
        Process other = new ProcessBuilder(
                        "/usr/bin/python3",
                        "-c",
                        "import fcntl,sys;f=open(sys.argv[1],'w');fcntl.lockf(f,fcntl.LOCK_EX);print(flush=True);input()",
                        lock.toString())
                .start();
        try {
            assertThat(other.getInputStream().read()).isEqualTo('\n');
            assertThat(accelerator.choose(Acceleration.AUTO)).isEqualTo(Accelerator.TCG);
            assertThat(started()).isEqualTo(1);
        } finally {
            other.destroyForcibly();
        }
    }

    @Test
    void aGoodVerdictOutlivesATimeOut() throws IOException, DkvmException {
        qemuDoes(WORKS);
        assertThat(accelerator.probe().works()).isTrue();
        qemuDoes(BUSY);
        assertThat(accelerator.probe().works()).isTrue();
        qemuDoes(FAILS);
        assertThat(accelerator.probe().works()).isFalse();
        assertThat(kept().works()).isFalse();
    }

    @Test
    void whoAsksForKvmHasItTriedWhateverIsKept() throws IOException, DkvmException {
        qemuDoes(FAILS);
        assertThat(accelerator.choose(Acceleration.AUTO)).isEqualTo(Accelerator.TCG);
        assertThatThrownBy(() -> accelerator.choose(Acceleration.KVM)).hasMessageContaining("unhandled MSR");
        assertThat(started()).isEqualTo(2);
        // Slower than the limit, which is for those who did not ask.
        qemuDoes("sleep 1; " + WORKS);
        assertThat(accelerator.choose(Acceleration.KVM)).isEqualTo(Accelerator.KVM);
        assertThat(accelerator.choose(Acceleration.KVM)).isEqualTo(Accelerator.KVM);
        assertThat(started()).isEqualTo(3);
        assertThat(accelerator.choose(Acceleration.AUTO)).isEqualTo(Accelerator.KVM);
    }
}
