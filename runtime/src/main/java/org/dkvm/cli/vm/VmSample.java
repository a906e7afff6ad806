// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli.vm;

import java.util.List;
import org.dkvm.linux.NamespaceProcesses;
import org.dkvm.vm.GuestReport;
import org.jspecify.annotations.Nullable;

/**
 * What a VM uses at a moment: by the guest's own word, and by the host's.
 *
 * @param guest the guest's; none where it does not answer
 * @param word why it does not; empty where it does
 * @param at when the host's was read, in nanoseconds of a clock that only goes forward
 * @param cpuNanos processor time of the sandbox, on the host
 * @param qemu the host's memory that QEMU has
 * @param beside … and all that is beside it
 */
record VmSample(@Nullable GuestReport guest, String word, long at, long cpuNanos, Taken qemu, Taken beside) {
    /**
     * Memory of the host.
     *
     * @param proportional bytes, with the share of what others have, too
     * @param resident bytes, with all of that
     */
    record Taken(long proportional, long resident) {
        private Taken plus(NamespaceProcesses.Use use) {
            return new Taken(proportional + use.proportional(), resident + use.resident());
        }

        @Override
        public String toString() {
            return Amounts.memory(proportional) + " / " + Amounts.memory(resident);
        }
    }

    /** For what nobody tells. */
    static final String UNKNOWN = "--";

    private static final String QEMU = "qemu-system";
    private static final Taken NOTHING = new Taken(0, 0);

    /** A sample of what the guest said, and of the processes of the sandbox. */
    static VmSample of(List<NamespaceProcesses.Use> uses, @Nullable GuestReport guest, String word, long at) {
        long cpu = 0;
        Taken qemu = NOTHING;
        Taken beside = NOTHING;
        for (NamespaceProcesses.Use use : uses) {
            cpu += use.cpuNanos();
            if (use.name().startsWith(QEMU)) {
                qemu = qemu.plus(use);
            } else {
                beside = beside.plus(use);
            }
        }
        return new VmSample(guest, word, at, cpu, qemu, beside);
    }

    /** The guest's processors since an earlier sample; unknown where one of the two has no answer. */
    String guestCpu(@Nullable VmSample before) {
        GuestReport now = guest;
        GuestReport then = before == null ? null : before.guest;
        return now == null || then == null
                ? UNKNOWN
                : Amounts.percent(now.busy() - then.busy(), now.time() - then.time());
    }

    /** The host's processors since then. */
    String hostCpu(@Nullable VmSample before) {
        return before == null ? UNKNOWN : Amounts.percent(cpuNanos - before.cpuNanos, at - before.at);
    }
}
