// SPDX-License-Identifier: Apache-2.0
package org.dkvm.vm;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.linux.Program;

/**
 * VMs' directories that nobody took away: the runtime has no such container, as its engine was killed for good, or never calls the runtime to delete what it has made.
 */
public final class StaleVms {
    /** The runtime has a container shortly after its VM's directory has been made. */
    private static final Duration YOUNG = Duration.ofMinutes(2);

    private static final Duration LIMIT = Duration.ofSeconds(30);

    /** Nobody's start waits longer for all of them; those that are left go at the next one. */
    private static final Duration TOTAL = Duration.ofSeconds(5);

    private StaleVms() {}

    /** Those among them that are stale. */
    static List<VmRecord> of(List<VmList.Entry> entries, Instant now) {
        List<VmRecord> stale = new ArrayList<>();
        for (VmList.Entry entry : entries) {
            boolean old = entry.vm().created().at().plus(YOUNG).isBefore(now);
            if (entry.kept().isEmpty() && old && !Files.exists(entry.vm().state())) {
                stale.add(entry.vm());
            }
        }
        return stale;
    }

    /**
     * Takes them away; their logs are kept as others' are.
     *
     * @param keep where {@code dkvm-keep} is
     */
    public static void remove(VmList vms, Path keep) {
        Instant begin = Instant.now();
        for (VmRecord vm : of(vms.entries(), begin)) {
            if (begin.plus(TOTAL).isBefore(Instant.now())) {
                return;
            }
            // Should it not be possible it is tried again, and nobody is kept from anything meanwhile.
            Program.run(List.of(keep.toString(), "forget", vm.id().value()), LIMIT);
        }
    }
}
