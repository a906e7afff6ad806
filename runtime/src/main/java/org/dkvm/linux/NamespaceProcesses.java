// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.dkvm.core.PrintableText;

/** The host's processes by the PID namespace that they are in, and what they take of the host. */
public final class NamespaceProcesses {
    /**
     * What a process takes.
     *
     * @param name its name, fit for a terminal
     * @param cpuNanos processor time, with that of its children that have ended
     * @param resident bytes of memory that it has, shared ones in full
     * @param proportional the same, with its share of shared ones
     */
    public record Use(String name, long cpuNanos, long resident, long proportional) {}

    private static final Path PROC = Path.of("/proc");
    private static final long NANOS_PER_TICK = 10_000_000;
    private static final long KIB = 1024;

    /** Columns of proc_pid_stat(5) after the name: utime, stime, cutime, cstime. */
    private static final int FIRST_TIME = 11;

    private static final int TIMES = 4;

    private final Path proc;
    private final Map<String, List<String>> pids = new HashMap<>();

    private NamespaceProcesses(Path proc) {
        this.proc = proc;
    }

    /** All processes as they are now. */
    public static NamespaceProcesses read() throws IOException {
        return read(PROC);
    }

    static NamespaceProcesses read(Path proc) throws IOException {
        NamespaceProcesses found = new NamespaceProcesses(proc);
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(proc, "[0-9]*")) {
            for (Path entry : entries) {
                String pid = String.valueOf(entry.getFileName());
                String namespace = found.namespace(pid);
                if (!namespace.isEmpty()) {
                    found.pids
                            .computeIfAbsent(namespace, _ -> new ArrayList<>())
                            .add(pid);
                }
            }
        }
        return found;
    }

    /** What the processes take that are in a process's namespace, itself included; those that have just ended are left out. */
    public List<Use> with(long pid) {
        List<Use> uses = new ArrayList<>();
        for (String member : pids.getOrDefault(namespace(Long.toString(pid)), List.of())) {
            look(member).ifPresent(uses::add);
        }
        return uses;
    }

    private String namespace(String pid) {
        try {
            return Files.readSymbolicLink(proc.resolve(pid).resolve("ns/pid")).toString();
        } catch (IOException e) {
            return "";
        }
    }

    /** Empty for one that has ended. */
    private Optional<Use> look(String pid) {
        try {
            return Optional.of(use(pid));
        } catch (IOException | IndexOutOfBoundsException | NumberFormatException e) {
            return Optional.empty();
        }
    }

    private Use use(String pid) throws IOException {
        Path directory = proc.resolve(pid);
        String stat = text(directory.resolve("stat"));
        int name = stat.lastIndexOf(')');
        String[] columns = stat.substring(name + 2).split(" ", -1);
        long ticks = 0;
        for (int i = FIRST_TIME; i < FIRST_TIME + TIMES; i++) {
            ticks += Long.parseLong(columns[i]);
        }
        long resident = 0;
        long proportional = 0;
        for (String line : text(directory.resolve("smaps_rollup")).split("\n", -1)) {
            if (line.startsWith("Rss:")) {
                resident = bytes(line);
            } else if (line.startsWith("Pss:")) {
                proportional = bytes(line);
            }
        }
        return new Use(
                PrintableText.of(stat.substring(stat.indexOf('(') + 1, name), false),
                ticks * NANOS_PER_TICK,
                resident,
                proportional);
    }

    private static String text(Path file) throws IOException {
        return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    }

    private static long bytes(String line) {
        String[] words = line.strip().split("\\s+", -1);
        return Long.parseLong(words[1]) * KIB;
    }
}
