// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.dkvm.core.Architecture;
import org.dkvm.core.PackageLayout;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.kernel.KernelStore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BootProbeTest {
    private static final Duration LIMIT = Duration.ofSeconds(10);

    private static final KernelStore.Found KERNEL =
            new KernelStore.Found("alpine/6.6", Architecture.AMD64, Path.of("/k"), "vmlinuz", "6.1");

    @TempDir
    Path directory;

    private ProbeResult run(String script) throws IOException {
        return run(script, LIMIT);
    }

    /** QEMU in its sandbox is played by runc alone. */
    private ProbeResult run(String script, Duration limit) throws IOException {
        Path runc = PlayedRunc.write(directory, script);
        Jobs jobs = new Jobs(new PackageLayout(directory), runc.toString(), directory.resolve("jobs"));
        ProbeResult result = BootProbe.run(jobs, ProbeCommand.ofKvm(KERNEL, limit), limit);
        PlayedRunc.assertNothingLeft(directory);
        return result;
    }

    @Test
    void anAgentThatSaysHelloMeansItWorks() throws IOException {
        assertThat(run("printf '\\035\\000\\000\\000\\001\\000\\000\\000\\000DKVM'; exec sleep 60"))
                .isEqualTo(ProbeResult.WORKS);
    }

    @Test
    void itsLastWordsSayWhyQemuEnded() throws IOException {
        assertThat(run("echo one >&2; echo 'two \033[1m' >&2; exit 3").reason()).isEqualTo("QEMU ended: two ?[1m");
        assertThat(run("exit 3").reason()).isEqualTo("QEMU ended: exit code 3");
    }

    @Test
    void onlyWhatQemuSaysItselfIsSure() throws IOException {
        assertThat(run("echo 'qemu-system-x86_64: failed to initialize kvm: No such device' >&2; exit 1")
                        .kind())
                .isEqualTo(ProbeResult.Kind.FAILS);
        assertThat(run("echo 'error: kvm run failed Invalid argument' >&2; exec sleep 60"))
                .isEqualTo(new ProbeResult(ProbeResult.Kind.FAILS, "KVM gave a processor up"));
        for (String unsure : List.of(
                "echo 'qemu-system-x86_64: failed to initialize kvm: Device or resource busy' >&2; exit 1",
                "echo 'runc run failed: unable to start container process' >&2; exit 1",
                "kill -KILL $$",
                "exit 0")) {
            assertThat(run(unsure).kind()).as(unsure).isEqualTo(ProbeResult.Kind.NOT_NOW);
        }
    }

    @Test
    void aGuestThatSaysNothingIsGivenUp() throws IOException {
        long start = System.nanoTime();
        assertThat(run("echo stuck >&2; exec sleep 60", Duration.ofMillis(300)))
                .isEqualTo(new ProbeResult(ProbeResult.Kind.NOT_NOW, "the guest did not start within 300 ms: stuck"));
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(10));
    }

    @Test
    void aRuncThatIsNotThereIsNamed() {
        Jobs jobs = new Jobs(new PackageLayout(directory), "/no/runc", directory.resolve("jobs"));
        ProbeResult result = BootProbe.run(jobs, ProbeCommand.ofKvm(KERNEL, LIMIT), LIMIT);
        assertThat(result.kind()).isEqualTo(ProbeResult.Kind.NOT_NOW);
        assertThat(result.reason()).startsWith("can not start a sandbox: ").contains("/no/runc");
    }

    @Test
    void theProbeOfKvmHasWhatVmsHave() {
        Job job = ProbeCommand.ofKvm(KERNEL, LIMIT);
        assertThat(String.join(" ", job.argv()))
                .isEqualTo("/usr/bin/qemu-system-x86_64 -nodefaults -no-user-config -no-reboot -display none"
                        + " -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"
                        + " -machine q35,memory-backend=memory,usb=off,smbus=off,sata=off,vmport=off"
                        + " -accel kvm -cpu host,vmx=off,svm=off -smp 2 -m 134217728b"
                        + " -object memory-backend-memfd,id=memory,share=on,size=134217728b"
                        + " -chardev file,id=console,path=/dev/stderr -serial chardev:console"
                        + " -kernel /run/job/kernel/vmlinuz -initrd /run/job/kernel/initramfs"
                        + " -append console=ttyS0 quiet panic=-1 -device virtio-serial-pci"
                        + " -chardev stdio,id=agent,signal=off -device virtserialport,chardev=agent,name=dkvm.agent");
        assertThat(job.mounts()).containsExactly(new Job.Mount(Path.of("/k"), "/run/job/kernel", false));
        assertThat(job.kvm()).isTrue();
        assertThat(job.rights()).isEqualTo(Job.Rights.NOBODYS);
    }

    @Test
    void anAddedKernelIsTriedWithTheMemoryOfAVm() {
        Job job = ProbeCommand.ofAdded(KERNEL, Accelerator.TCG, LIMIT);
        assertThat(String.join(" ", job.argv()))
                .contains(" -accel tcg,tb-size=128 -cpu max,-erms,-fsrm -smp 1 -m 536870912b ")
                .contains(" -append console=ttyS0 quiet panic=-1 no_timer_check -device ");
        assertThat(job.kvm()).isFalse();
    }

    @Test
    void aForeignKernelIsTriedOnItsOwnBoard() {
        KernelStore.Found kernel =
                new KernelStore.Found("alpine-arm64/6.6", Architecture.ARM64, Path.of("/k"), "vmlinuz", "6.6");
        assertThat(String.join(
                        " ",
                        ProbeCommand.ofAdded(kernel, Accelerator.TCG, LIMIT).argv()))
                .startsWith("/usr/bin/qemu-system-aarch64 ")
                .contains(" -machine virt,memory-backend=memory,gic-version=3 -accel tcg,tb-size=128 -cpu max ")
                .contains(" -append console=ttyAMA0 quiet panic=-1 -device ");
    }

    @Test
    void theLastOfManyWordsCount() throws IOException {
        assertThat(run("i=0; while [ $i -lt 3000 ]; do echo $i and more; i=$((i+1)); done >&2; exit 1")
                        .reason())
                .isEqualTo("QEMU ended: 2999 and more");
    }

    @Test
    void theJobsDirectoryIsMadeWhereItIsMissing() throws IOException {
        assertThat(run("printf DKVM; exec sleep 60")).isEqualTo(ProbeResult.WORKS);
        assertThat(Files.isDirectory(directory.resolve("jobs"))).isTrue();
    }
}
