// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.kernel.Depmod;

/** Has the host's depmod(8) read modules that are not trusted, in a sandbox that sees the host's {@code /usr} and these. */
final class DepmodJob implements Depmod.Indexer {
    private static final Job.Limits LIMITS =
            new Job.Limits(Duration.ofMinutes(2), MemorySize.ofMib(1024), MemorySize.ofMib(64));

    private static final String BASE = Job.PLACE + "/base";

    private final Jobs jobs;

    DepmodJob(Jobs jobs) {
        this.jobs = jobs;
    }

    @Override
    public boolean index(Path program, Path base, String release) {
        try {
            JavaJob.run(jobs, job(program, base, release));
            return true;
        } catch (DkvmException e) {
            // It does not read them, or not within its limits.
            return false;
        }
    }

    static Job job(Path program, Path base, String release) {
        return new Job(
                List.of(program.toString(), "-b", BASE, release),
                Job.Programs.HOST,
                List.of(new Job.Mount(base, BASE, true)),
                LIMITS,
                Job.Rights.ALL_FILES,
                false);
    }
}
