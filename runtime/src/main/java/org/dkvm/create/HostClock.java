// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.linux.AtomicFile;
import org.dkvm.linux.Program;
import org.dkvm.linux.StatePlaces;

/**
 * How often this host's time stamp counter counts. Guests of QEMU's translator read the host's counter, and one that measures it while others use the host's processors may
 * be wrong by far: its clocks then run too fast or too slow. So it is measured on the host, once per boot, and the guest is told.
 */
public final class HostClock {
    private static final String FILE = "tsc";
    private static final Duration LIMIT = Duration.ofSeconds(5);

    /** Slower and faster ones were never made. */
    private static final long LEAST_KHZ = 100_000;

    private static final long MOST_KHZ = 20_000_000;

    /** A ten-thousandth: a clock that is wrong by so much loses a millisecond in ten seconds, after which the guest asks for the time. */
    private static final long SAME = 10_000;

    private static final Path CACHE = StatePlaces.cache().resolve("tsc");

    private final List<String> program;
    private final Path state;
    private final Path cache;

    public HostClock(PackageLayout layout) {
        this(List.of(layout.program("dkvm-tsc").toString()), HostState.DIRECTORY, CACHE);
    }

    HostClock(List<String> program, Path state, Path cache) {
        this.program = program;
        this.state = state;
        this.cache = cache;
    }

    /** In kHz; 0 where it can not be told, and a guest has to measure by itself. */
    public long kilohertz() {
        String boot = HostState.bootId();
        Path file = state.resolve(FILE);
        String kept = HostState.firstLine(file);
        if (!boot.isEmpty() && kept.startsWith(boot + " ")) {
            return plausible(kept.substring(boot.length() + 1));
        }
        Program.Result result = Program.run(program, LIMIT);
        long measured = steady(result.code() == 0 ? plausible(result.output()) : 0);
        try {
            Files.createDirectories(state);
            AtomicFile.replacePrivate(file, boot + " " + measured + "\n");
        } catch (IOException | DkvmException e) {
            // Measured again the next time.
            return measured;
        }
        return measured;
    }

    /** What was measured at an earlier boot, where it is the same but for the error of measuring: templates are of this number. */
    private long steady(long measured) {
        long before = plausible(HostState.firstLine(cache));
        if (measured == 0 || Math.abs(measured - before) <= before / SAME) {
            return measured == 0 ? 0 : before;
        }
        try {
            Files.createDirectories(cache.toAbsolutePath().getParent());
            AtomicFile.replacePrivate(cache, measured + "\n");
        } catch (IOException | DkvmException e) {
            // Templates are made again after the next boot.
            return measured;
        }
        return measured;
    }

    private static long plausible(String text) {
        try {
            long kilohertz = Long.parseLong(text);
            return kilohertz >= LEAST_KHZ && kilohertz <= MOST_KHZ ? kilohertz : 0;
        } catch (NumberFormatException e) {
            return 0;
        }
    }
}
