// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.Architecture;
import org.dkvm.core.PackageLayout;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.kernel.KernelStore;

/** The command line of the smallest VM that shows whether a kernel boots: no disk, no network, the agent's port on QEMU's stdout. */
final class ProbeCommand {
    private ProbeCommand() {}

    /** To see whether KVM works: DKVM's own kernel, which needs little. */
    static List<String> of(PackageLayout layout, KernelStore.Found kernel) {
        List<String> command = program(layout, Architecture.HOST);
        add(command, "-machine", "q35,accel=kvm", "-cpu", "host", "-m", "128M");
        kernel(command, kernel, "quiet panic=-1");
        agent(command);
        return command;
    }

    /** To see whether a kernel works: with the memory of an ordinary VM, and its last words on QEMU's stderr. */
    static List<String> ofAdded(PackageLayout layout, KernelStore.Found kernel, Accelerator accelerator) {
        Architecture architecture = kernel.architecture();
        List<String> command = program(layout, architecture);
        String board = switch (architecture) {
            case AMD64 -> "q35";
            case ARM64 -> "virt,gic-version=3";
        };
        switch (accelerator) {
            case KVM -> add(command, "-machine", board + ",accel=kvm", "-cpu", "host");
            case TCG -> add(command, "-machine", board + ",accel=tcg", "-cpu", "max");
        }
        add(command, "-m", "512M", "-chardev", "file,id=console,path=/dev/stderr", "-serial", "chardev:console");
        // An x86 kernel's test of the timer counts ticks: on a busy host they come late, and it gives the machine up.
        boolean ticks = accelerator == Accelerator.TCG && architecture == Architecture.AMD64;
        kernel(
                command,
                kernel,
                "console=" + architecture.console() + " quiet panic=-1" + (ticks ? " no_timer_check" : ""));
        agent(command);
        return command;
    }

    private static List<String> program(PackageLayout layout, Architecture architecture) {
        Path share = layout.sandbox().resolve("usr/share");
        List<String> command = new ArrayList<>();
        add(command, layout.loader().toString(), "--library-path", layout.libraryPath());
        add(
                command,
                layout.sandbox()
                        .resolve("usr/bin/qemu-system-" + architecture.machine())
                        .toString());
        add(command, "-L", share.resolve("qemu").toString());
        add(command, "-L", share.resolve("seabios").toString());
        add(command, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot");
        return command;
    }

    private static void kernel(List<String> command, KernelStore.Found kernel, String parameters) {
        add(command, "-kernel", kernel.directory().resolve(kernel.image()).toString());
        add(command, "-initrd", kernel.directory().resolve("initramfs").toString());
        add(command, "-append", parameters);
    }

    private static void agent(List<String> command) {
        add(command, "-device", "virtio-serial-pci");
        add(command, "-chardev", "stdio,id=agent,signal=off");
        add(command, "-device", "virtserialport,chardev=agent,name=dkvm.agent");
    }

    private static void add(List<String> command, String... words) {
        command.addAll(List.of(words));
    }
}
