// SPDX-License-Identifier: Apache-2.0
package org.dkvm.machine;

import org.dkvm.core.Architecture;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.core.machine.GuestKernel;

/** The kernel's parameters: only the kernel's own, but for a machine that is saved before anybody speaks to its agent. All else reaches the agent over its channel. See the kernel's kernel-parameters.rst. */
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
        GuestKernel kernel = machine.shape().kernel();
        // The console is there for the last words of a kernel that panics; "quiet" keeps it from costing time.
        StringBuilder text = new StringBuilder("console=");
        text.append(kernel.architecture().console());
        text.append(DisplayArguments.kernelParameters(machine.shape().display()))
                .append(" panic=-1");
        text.append(kernel.debug() ? " ignore_loglevel" : " quiet");
        if (machine.shape().processor().accelerator() == Accelerator.TCG) {
            // virtiofsd writes guest pages that QEMU does not see change: without this, QEMU runs stale translations
            // of whatever code lay in a reused page, and guest programs crash at random.
            text.append(" init_on_alloc=1");
        }
        boolean one = comesUpOnOneCpu(
                kernel,
                machine.shape().processor().accelerator(),
                machine.shape().size().growth().cpus());
        if (machine.shape().processor().accelerator() == Accelerator.TCG
                && kernel.architecture() == Architecture.AMD64) {
            emulatedPc(text, one, machine.shape().processor().tscKilohertz());
        } else if (one) {
            text.append(' ').append(MAX_CPUS).append('1');
        }
        if (!one
                && machine.shape().size().growth().cpus()
                        > machine.shape().size().cpus()) {
            // The others are there for "docker update".
            text.append(' ').append(MAX_CPUS).append(machine.shape().size().cpus());
        }
        text.append(BoardWords.kernelParameters(machine));
        if (!kernel.append().isEmpty()) {
            text.append(' ').append(kernel.append());
        }
        if (machine.birth().isSaved()) {
            // The agent's. It has its processors before it is saved, and the machines made of it have them at once.
            text.append(" -- processors=").append(machine.shape().size().cpus());
        }
        return text.toString();
    }

    /** An x86 kernel measures what others read from their timer's registers. */
    private static void emulatedPc(StringBuilder text, boolean one, long tscKilohertz) {
        // Its test of the timer counts ticks: on a busy host they come late, and it gives the machine up.
        text.append(" no_timer_check");
        if (tscKilohertz > 0) {
            // QEMU hands it the host's time stamp counter. Measured against emulated timers on a busy host it came out
            // too
            // slow by a factor of up to twenty, and the guest's clocks ran too fast by as much.
            text.append(" tsc_early_khz=").append(tscKilohertz);
        }
        if (one) {
            // Each CPU would else measure how fast it is, for most of a second, and the kernel rewrite itself for one
            // CPU and back. The number is loops per tick, more than any host does: delays may be longer than asked for.
            text.append(' ').append(MAX_CPUS).append("1 noreplace-smp lpj=40000000");
        }
    }
}
