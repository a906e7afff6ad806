// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import java.time.Duration;
import org.dkvm.core.DkvmException;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.kernel.KernelStore;

/** Boots a kernel once, in a sandbox, to see whether its agent answers. It has no disk, no share and no network: that their modules are there is the initramfs's concern. */
public final class KernelProbe {
    /** A distribution's kernel takes 4 to 10 s to boot under TCG, and longer on a busy host. */
    public static final Duration LIMIT = Duration.ofMinutes(2);

    private KernelProbe() {}

    /** Boots the kernel; returns how long it took until the agent spoke. */
    public static Duration boot(Jobs jobs, KernelStore.Found kernel, Accelerator accelerator) throws DkvmException {
        long start = System.nanoTime();
        ProbeResult result = BootProbe.run(jobs, ProbeCommand.ofAdded(kernel, accelerator, LIMIT), LIMIT);
        if (!result.works()) {
            throw new DkvmException(
                    "kernel \"" + kernel.name() + "\" does not boot: " + result.reason(),
                    "give another kernel; \"--no-verify\" adds it without trying");
        }
        return Duration.ofNanos(System.nanoTime() - start);
    }
}
