// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.start;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.agent.ReadyStep;
import org.dkvm.json.Json;
import org.dkvm.linux.ProcessStart;
import org.dkvm.monitor.loop.MonitorLog;

/** When each step of the boot was done: timeline.json, in nanoseconds since the monitor's main began, which CLOCK_MONOTONIC dates. */
public final class Timeline {
    private record Mark(String step, long nanos) {}

    private final long startNanos = System.nanoTime();
    private final List<Mark> marks = new ArrayList<>();
    private List<ReadyStep> guest = List.of();
    private long bootNanos;
    private boolean saved;
    private boolean restored;

    /** A step is done now. */
    public void mark(String step) {
        marks.add(new Mark(step, System.nanoTime() - startNanos));
    }

    /** The VM has been restored: its guest's time since boot has its template's in it. */
    public void restored() {
        restored = true;
        mark("restored");
    }

    /** It boots, after all. */
    public void booted() {
        restored = false;
    }

    /** The guest's kernel had been running that long when its agent said hello. */
    public void hello(long guestBootNanos) {
        bootNanos = guestBootNanos;
    }

    /** The agent's own steps. */
    public void guest(List<ReadyStep> steps) {
        guest = List.copyOf(steps);
    }

    /** Writes all marks so far to a file, if that was not done before: what comes after the start is none of its matter. */
    public void save(Path file, MonitorLog log) {
        if (saved) {
            return;
        }
        saved = true;
        try {
            write(file);
        } catch (IOException e) {
            log.line("timeline: " + e);
        }
    }

    private void write(Path file) throws IOException {
        JsonObject json = new JsonObject();
        json.addProperty("mainNanos", startNanos);
        json.addProperty("processToMainNanos", ProcessStart.ageNanos() - (System.nanoTime() - startNanos));
        JsonArray steps = new JsonArray();
        for (Mark mark : marks) {
            JsonObject step = new JsonObject();
            step.addProperty("step", mark.step());
            step.addProperty("nanos", mark.nanos());
            steps.add(step);
        }
        if (restored) {
            json.addProperty("restored", true);
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
}
