// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import java.time.Duration;
import org.dkvm.core.DkvmException;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.kernel.KernelStore;

/** Boots a kernel once, in a sandbox, to see whether its agent answers. It has no disk, no share and no network: that their modules are there is the initramfs's concern. */
public final class KernelProbe {
    /** In phases of a start: a distribution's kernel takes 4 to 10 s to boot under TCG, and longer on a busy host. */
    private static final int LIMIT_FACTOR = 2;

    private KernelProbe() {}

    /** How long it may take where a phase of a VM's start may take that long. */
    public static Duration limit(Duration step) {
        return step.multipliedBy(LIMIT_FACTOR);
    }

    /** Boots the kernel; returns how long it took until the agent spoke. */
    public static Duration boot(Jobs jobs, KernelStore.Found kernel, Accelerator accelerator, Duration limit)
            throws DkvmException {
        long start = System.nanoTime();
        ProbeResult result = BootProbe.run(jobs, ProbeCommand.ofAdded(kernel, accelerator, limit), limit);
        if (!result.works()) {
            throw new DkvmException(
                    "kernel \"" + kernel.name() + "\" does not boot: " + result.reason(),
                    "give another kernel; \"--no-verify\" adds it without trying");
        }
        return Duration.ofNanos(System.nanoTime() - start);
    }
}
