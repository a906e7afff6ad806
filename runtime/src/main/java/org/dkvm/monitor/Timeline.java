// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.StringTokenizer;
import org.dkvm.agent.ReadyStep;
import org.dkvm.json.Json;

/** When each step of the boot was done: timeline.json, in nanoseconds since the monitor's main began. */
final class Timeline {
    private static final long NANOS_PER_SECOND = 1_000_000_000L;
    /** The kernel's USER_HZ, in which /proc/self/stat counts. */
    private static final long TICKS_PER_SECOND = 100;
    /** The start time's place among the columns after the command's name: proc_pid_stat(5), 22. */
    private static final int START_COLUMN = 20;

    private record Mark(String step, long nanos) {}

    private final long startNanos = System.nanoTime();
    private final List<Mark> marks = new ArrayList<>();
    private List<ReadyStep> guest = List.of();
    private long bootNanos;

    /** A step is done now. */
    void mark(String step) {
        marks.add(new Mark(step, System.nanoTime() - startNanos));
    }

    /** The guest's kernel had been running that long when its agent said hello. */
    void hello(long guestBootNanos) {
        bootNanos = guestBootNanos;
    }

    /** The agent's own steps. */
    void guest(List<ReadyStep> steps) {
        guest = List.copyOf(steps);
    }

    /** Writes all marks so far to a file. */
    void write(Path file) throws IOException {
        JsonObject json = new JsonObject();
        json.addProperty("processToMainNanos", processNanos() - (System.nanoTime() - startNanos));
        JsonArray steps = new JsonArray();
        for (Mark mark : marks) {
            JsonObject step = new JsonObject();
            step.addProperty("step", mark.step());
            step.addProperty("nanos", mark.nanos());
            steps.add(step);
        }
        json.add("monitor", steps);
        json.addProperty("guestHelloNanos", bootNanos);
        JsonArray own = new JsonArray();
        for (ReadyStep ready : guest) {
            JsonObject step = new JsonObject();
            step.addProperty("step", ready.label());
            step.addProperty("nanos", ready.bootNanos());
            own.add(step);
        }
        json.add("guest", own);
        Files.writeString(file, Json.write(json) + "\n");
    }

    /** How long this process has been there, to 10 ms: the kernel does not tell it more exactly. */
    private static long processNanos() throws IOException {
        String stat = Files.readString(Path.of("/proc/self/stat"));
        StringTokenizer columns = new StringTokenizer(stat.substring(stat.lastIndexOf(')') + 1));
        String start = "0";
        for (int i = 0; i < START_COLUMN; i++) {
            start = columns.nextToken();
        }
        String uptime = new StringTokenizer(Files.readString(Path.of("/proc/uptime"))).nextToken();
        long up = (long) (Double.parseDouble(uptime) * NANOS_PER_SECOND);
        return up - Long.parseLong(start) * (NANOS_PER_SECOND / TICKS_PER_SECOND);
    }
}
