// SPDX-License-Identifier: Apache-2.0
package org.dkvm.machine;

import org.dkvm.core.Accelerator;
import org.dkvm.core.GuestKernel;

/** The kernel's parameters: only the kernel's own; all else reaches the agent over its channel. See the kernel's kernel-parameters.rst. */
public final class KernelCommandLine {
    private static final String MAX_CPUS = "maxcpus=";

    private KernelCommandLine() {}

    /**
     * Whether the kernel boots on one of its CPUs, and the agent has to bring the others online.
     *
     * <p>A kernel patches its own code and moves its devices' registers while it boots. With several emulated CPUs QEMU may run the old code, or look a register up
     * where it was: now and then a kernel panicked, or an assertion ended QEMU.
     */
    public static boolean comesUpOnOneCpu(GuestKernel kernel, Accelerator accelerator, int cpus) {
        return accelerator == Accelerator.TCG && cpus > 1 && !kernel.append().contains(MAX_CPUS);
    }

    static String of(Machine machine) {
        GuestKernel kernel = machine.kernel();
        Accelerator accelerator = machine.accelerator();
        // The console is there for the last words of a kernel that panics; "quiet" keeps it from costing time.
        StringBuilder text = new StringBuilder("console=ttyS0");
        text.append(DisplayArguments.kernelParameters(machine.display())).append(" panic=-1");
        text.append(kernel.debug() ? " ignore_loglevel" : " quiet");
        if (accelerator == Accelerator.TCG) {
            // virtiofsd writes guest pages that QEMU does not see change: without this, QEMU runs stale translations
            // of whatever code lay in a reused page, and guest programs crash at random.
            // The kernel's test of the timer counts ticks: on a busy host they come late, and it gives the machine up.
            text.append(" init_on_alloc=1 no_timer_check");
        }
        if (comesUpOnOneCpu(kernel, accelerator, machine.cpus())) {
            // Each CPU would else measure how fast it is, for most of a second, and the kernel rewrite itself for one
            // CPU
            // and back. The number is loops per tick, more than any host does: delays may be longer than asked for.
            text.append(' ').append(MAX_CPUS).append("1 noreplace-smp lpj=40000000");
        }
        if (!kernel.append().isEmpty()) {
            text.append(' ').append(kernel.append());
        }
        return text.toString();
    }
}
