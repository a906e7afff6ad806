// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.Architecture;
import org.dkvm.core.MemorySize;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.kernel.KernelStore;
import org.dkvm.machine.QemuCommand;

/** The smallest VM that shows whether a kernel boots, in a sandbox: no disk, no network, the agent's port on QEMU's stdout, the kernel's last words on its stderr. */
final class ProbeCommand {
    private static final String KERNEL = Job.PLACE + "/kernel";

    /** What QEMU needs beside the guest's memory: 128 MiB of that are translated code. */
    private static final MemorySize BESIDE = MemorySize.ofMib(384);

    /** Until QEMU is killed although nobody waits for it any more. */
    private static final Duration MORE = Duration.ofSeconds(10);

    private ProbeCommand() {}

    /** To see whether KVM works: DKVM's own kernel, which needs little, on two processors. */
    static Job ofKvm(KernelStore.Found kernel, Duration limit) {
        return job(kernel, Accelerator.KVM, 2, MemorySize.ofMib(128), limit);
    }

    /** To see whether a kernel works: with the memory of an ordinary VM. */
    static Job ofAdded(KernelStore.Found kernel, Accelerator accelerator, Duration limit) {
        // A VM that is emulated boots on one, too.
        int cpus = accelerator == Accelerator.KVM ? 2 : 1;
        return job(kernel, accelerator, cpus, MemorySize.ofMib(512), limit);
    }

    private static Job job(
            KernelStore.Found kernel, Accelerator accelerator, int cpus, MemorySize memory, Duration limit) {
        Architecture architecture = kernel.architecture();
        List<String> argv = new ArrayList<>(QemuCommand.bare(architecture, accelerator, cpus, memory));
        add(argv, "-chardev", "file,id=console,path=/dev/stderr", "-serial", "chardev:console");
        add(argv, "-kernel", KERNEL + "/" + kernel.image());
        add(argv, "-initrd", KERNEL + "/initramfs");
        // An x86 kernel's test of the timer counts ticks: on a busy host they come late, and it gives the machine up.
        boolean ticks = accelerator == Accelerator.TCG && architecture == Architecture.AMD64;
        add(
                argv,
                "-append",
                "console=" + architecture.console() + " quiet panic=-1" + (ticks ? " no_timer_check" : ""));
        add(argv, "-device", "virtio-serial-pci");
        add(argv, "-chardev", "stdio,id=agent,signal=off");
        add(argv, "-device", "virtserialport,chardev=agent,name=" + QemuCommand.AGENT_PORT);
        // The guest's memory is a file, too.
        return new Job(
                argv,
                Job.Programs.SANDBOX,
                List.of(new Job.Mount(kernel.directory(), KERNEL, false)),
                new Job.Limits(limit.plus(MORE), memory.plus(BESIDE), memory),
                Job.Rights.NOBODYS,
                accelerator == Accelerator.KVM);
    }

    private static void add(List<String> argv, String... words) {
        argv.addAll(List.of(words));
    }
}
