// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.dkvm.core.MemorySize;

/**
 * A program that reads what is not trusted, for the host: it runs in a sandbox of its own, as VMs do.
 *
 * @param argv its command line, in the sandbox
 * @param programs whose programs it can run
 * @param mounts what of the host it sees
 * @param limits what it may use
 * @param rights whose files it reads
 * @param kvm whether it may open /dev/kvm
 */
record Job(List<String> argv, Programs programs, List<Mount> mounts, Limits limits, Rights rights, boolean kvm) {
    /** Where the host's files are in the sandbox. */
    static final String PLACE = "/run/job";

    Job {
        argv = List.copyOf(argv);
        mounts = List.copyOf(mounts);
    }

    /** Where the programs and libraries are from. */
    enum Programs {
        /** The package's sandbox. */
        SANDBOX,
        /** The host's {@code /usr}, read-only: for a host that has what the package has not. */
        HOST
    }

    /** What it may do with files; it has no other right. */
    enum Rights {
        /** What everybody may: it runs as a user that nothing belongs to. */
        NOBODYS,
        /** To read all that was mounted, and to write what was mounted for that: an image's files belong to any user. */
        ALL_FILES,
        /** The same, and to start a virtiofsd, which gives up what it was started with. */
        MACHINES;

        /** By their names in the OCI runtime spec. */
        List<String> capabilities() {
            return switch (this) {
                case NOBODYS -> List.of();
                case ALL_FILES -> List.of("CAP_DAC_OVERRIDE");
                case MACHINES -> List.of("CAP_DAC_OVERRIDE", "CAP_SETPCAP");
            };
        }
    }

    /**
     * A file or directory of the host.
     *
     * @param source on the host
     * @param target in the sandbox, below {@link #PLACE}
     * @param writable whether it may be written; it is never a place to run programs from
     */
    record Mount(Path source, String target, boolean writable) {}

    /**
     * What it may use, at most.
     *
     * @param time from its start to its end; processor time, too
     * @param memory of all its processes, with what it writes to /tmp
     * @param fileSize of any file it writes
     * @param last whether all others go before it: nobody waits for it. Niceness counts only among processes of one control group
     */
    record Limits(Duration time, MemorySize memory, MemorySize fileSize, boolean last) {
        /** Those of a job that somebody waits for. */
        Limits(Duration time, MemorySize memory, MemorySize fileSize) {
            this(time, memory, fileSize, false);
        }
    }
}
