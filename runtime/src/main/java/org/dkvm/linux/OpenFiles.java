// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.dkvm.core.container.ResourceLimit;

/** How many files processes have open, and may have. See proc_pid_fd(5) and getrlimit(2), RLIMIT_NOFILE. */
public final class OpenFiles {
    /** RLIMIT_NOFILE on x86-64. */
    private static final int RESOURCE = 7;

    /** What fs.nr_open is as Linux comes; a host that allows more would have a guest fill its memory with them. */
    private static final long MOST = 1 << 20;

    private static final Path NR_OPEN = Path.of("/proc/sys/fs/nr_open");
    private static final long SYS_RESOURCE = 1L << 24;
    private static final String CAPABILITIES = "CapEff:";
    private static final int HEX = 16;

    private OpenFiles() {}

    /** The highest limit that a program which this process starts outside of any container can give another; 0: it is not known. */
    public static long most() {
        try {
            return most(
                    ProcessLimits.own(),
                    Files.readString(Path.of("/proc/self/status")),
                    Files.readString(Path.of("/proc/self/uid_map")),
                    HostFiles.setting(NR_OPEN));
        } catch (IOException | NumberFormatException e) {
            return 0;
        }
    }

    /** By the texts of those files. CAP_SYS_RESOURCE counts for limits only outside of user namespaces. */
    static long most(List<ResourceLimit> own, String status, String uidMap, String nrOpen) {
        long open = Long.parseLong(nrOpen.strip());
        boolean raises = uidMap.strip().matches("0\\s+0\\s+4294967295")
                && status.lines()
                        .filter(line -> line.startsWith(CAPABILITIES))
                        .anyMatch(line -> (Long.parseUnsignedLong(
                                                line.substring(CAPABILITIES.length())
                                                        .strip(),
                                                HEX)
                                        & SYS_RESOURCE)
                                != 0);
        long hard = hard(own);
        return Math.min(MOST, raises || hard < 0 ? open : hard);
    }

    /** The hard limit among these; -1: there is none, 0: it is not known. */
    private static long hard(List<ResourceLimit> limits) {
        return limits.stream()
                .filter(limit -> limit.resource() == RESOURCE)
                .mapToLong(ResourceLimit::hard)
                .findFirst()
                .orElse(0);
    }

    /** How many a process may have at a time; 0: it is not known. */
    public static long limitOf(long pid) {
        try {
            return ProcessLimits.parse(Files.readString(Path.of("/proc/" + pid + "/limits"))).stream()
                    .filter(limit -> limit.resource() == RESOURCE)
                    .mapToLong(limit -> limit.soft() < 0 ? MOST : limit.soft())
                    .findFirst()
                    .orElse(0);
        } catch (IOException e) {
            return 0;
        }
    }

    /** How many a process has; -1: it is not known. Linux 6.2 says it as the directory's size, before that they are counted. */
    public static long countOf(long pid) {
        Path directory = Path.of("/proc/" + pid + "/fd");
        try {
            long size = Files.size(directory);
            return size > 0 ? size : listed(directory);
        } catch (IOException e) {
            return -1;
        }
    }

    static long listed(Path directory) throws IOException {
        long count = 0;
        try (DirectoryStream<Path> names = Files.newDirectoryStream(directory)) {
            for (Path name : names) {
                count += name.getNameCount() > 0 ? 1 : 0;
            }
        } catch (NoSuchFileException e) {
            return -1;
        }
        return count;
    }
}
