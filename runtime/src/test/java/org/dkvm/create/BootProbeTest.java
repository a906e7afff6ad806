// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.dkvm.core.Architecture;
import org.dkvm.core.PackageLayout;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.kernel.KernelStore;
import org.junit.jupiter.api.Test;

class BootProbeTest {
    private static final Duration LIMIT = Duration.ofSeconds(10);

    private static List<String> shell(String script) {
        return List.of("/bin/sh", "-c", script);
    }

    @Test
    void anAgentThatSaysHelloMeansItWorks() {
        assertThat(BootProbe.run(
                        shell("printf '\\035\\000\\000\\000\\001\\000\\000\\000\\000DKVM'; exec sleep 60"), LIMIT))
                .isEmpty();
    }

    @Test
    void itsLastWordsSayWhyQemuEnded() {
        assertThat(BootProbe.run(shell("echo one >&2; echo 'two \033[1m' >&2; exit 3"), LIMIT))
                .contains("QEMU ended: two ?[1m");
        assertThat(BootProbe.run(shell("exit 3"), LIMIT)).contains("QEMU ended: exit code 3");
    }

    @Test
    void aGuestThatSaysNothingIsGivenUp() {
        long start = System.nanoTime();
        assertThat(BootProbe.run(shell("echo stuck >&2; exec sleep 60"), Duration.ofMillis(300)))
                .contains("the guest did not start within 300 ms: stuck");
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(10));
    }

    @Test
    void aProgramThatIsNotThereIsNamed() {
        assertThat(BootProbe.run(List.of("/no/qemu"), LIMIT))
                .hasValueSatisfying(why ->
                        assertThat(why).startsWith("QEMU does not start: ").contains("/no/qemu"));
    }

    @Test
    void theProbesCommandLineIsThis() {
        PackageLayout layout = new PackageLayout(Path.of("/opt/dkvm"));
        KernelStore.Found kernel = new KernelStore.Found(
                "dkvm/6.12", Architecture.AMD64, Path.of("/opt/dkvm/kernels/dkvm/6.12"), "vmlinux", "6.12");
        assertThat(String.join(" ", ProbeCommand.of(layout, kernel)))
                .isEqualTo("/opt/dkvm/sandbox/lib64/ld-linux-x86-64.so.2"
                        + " --library-path /opt/dkvm/sandbox/usr/lib/x86_64-linux-gnu"
                        + " /opt/dkvm/sandbox/usr/bin/qemu-system-x86_64"
                        + " -L /opt/dkvm/sandbox/usr/share/qemu -L /opt/dkvm/sandbox/usr/share/seabios"
                        + " -nodefaults -no-user-config -display none -no-reboot"
                        + " -machine q35,accel=kvm -cpu host -m 128M"
                        + " -kernel /opt/dkvm/kernels/dkvm/6.12/vmlinux -initrd /opt/dkvm/kernels/dkvm/6.12/initramfs"
                        + " -append quiet panic=-1 -device virtio-serial-pci"
                        + " -chardev stdio,id=agent,signal=off -device virtserialport,chardev=agent,name=dkvm.agent");
    }

    @Test
    void anAddedKernelIsTriedWithTheMemoryOfAVmAndAConsole() {
        PackageLayout layout = new PackageLayout(Path.of("/opt/dkvm"));
        KernelStore.Found kernel =
                new KernelStore.Found("alpine/6.6", Architecture.AMD64, Path.of("/k"), "vmlinuz", "6.1");
        assertThat(String.join(" ", ProbeCommand.ofAdded(layout, kernel, Accelerator.TCG)))
                .endsWith(" -nodefaults -no-user-config -display none -no-reboot"
                        + " -machine q35,accel=tcg -cpu max -m 512M"
                        + " -chardev file,id=console,path=/dev/stderr -serial chardev:console"
                        + " -kernel /k/vmlinuz -initrd /k/initramfs"
                        + " -append console=ttyS0 quiet panic=-1 no_timer_check -device virtio-serial-pci"
                        + " -chardev stdio,id=agent,signal=off -device virtserialport,chardev=agent,name=dkvm.agent");
    }

    @Test
    void aForeignKernelIsTriedOnItsOwnBoard() {
        PackageLayout layout = new PackageLayout(Path.of("/opt/dkvm"));
        KernelStore.Found kernel =
                new KernelStore.Found("alpine-arm64/6.6", Architecture.ARM64, Path.of("/k"), "vmlinuz", "6.6");
        assertThat(String.join(" ", ProbeCommand.ofAdded(layout, kernel, Accelerator.TCG)))
                .contains(" /opt/dkvm/sandbox/usr/bin/qemu-system-aarch64 -L ")
                .contains(" -machine virt,gic-version=3,accel=tcg -cpu max -m 512M ")
                .contains(" -append console=ttyAMA0 quiet panic=-1 -device ");
    }

    @Test
    void theLastOfManyWordsCount() {
        assertThat(BootProbe.run(
                        shell("i=0; while [ $i -lt 3000 ]; do echo $i and more; i=$((i+1)); done >&2; exit 1"), LIMIT))
                .contains("QEMU ended: 2999 and more");
    }
}
