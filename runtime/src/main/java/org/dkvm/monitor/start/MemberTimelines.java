// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.start;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import org.dkvm.core.DkvmException;
import org.dkvm.json.Json;
import org.dkvm.linux.AtomicFile;
import org.dkvm.monitor.loop.MonitorLog;

/** When each step of the start of a pod's further containers was done: members.json, in nanoseconds since the container's client attached. */
public final class MemberTimelines {
    /** So many of the last are kept: the file has a bound (native/host/keep/vmlog.c). */
    private static final int MOST = 40;

    private final Path file;
    private final MonitorLog log;
    /** By the containers' numbers, the starts that are under way. */
    private final Map<Integer, JsonObject> starts = new HashMap<>();

    private final Deque<JsonObject> done = new ArrayDeque<>();

    public MemberTimelines(Path file, MonitorLog log) {
        this.file = file;
        this.log = log;
    }

    /** The client of a container's first process is there. */
    public void attached(int number) {
        JsonObject start = new JsonObject();
        start.addProperty("number", number);
        start.addProperty("attachedNanos", System.nanoTime());
        start.add("steps", new JsonArray());
        starts.put(number, start);
    }

    /** A step of its start is done now. */
    public void mark(int number, String name) {
        JsonObject start = starts.get(number);
        if (start != null) {
            JsonObject step = new JsonObject();
            step.addProperty("step", name);
            step.addProperty(
                    "nanos", System.nanoTime() - start.get("attachedNanos").getAsLong());
            start.getAsJsonArray("steps").add(step);
        }
    }

    /** Its first process runs. */
    public void opened(int number) {
        mark(number, "opened");
        JsonObject start = starts.remove(number);
        if (start == null) {
            return;
        }
        done.addLast(start);
        if (done.size() > MOST) {
            done.removeFirst();
        }
        JsonArray members = new JsonArray();
        done.forEach(members::add);
        JsonObject json = new JsonObject();
        json.add("members", members);
        try {
            AtomicFile.replacePrivate(file, Json.write(json) + "\n");
        } catch (DkvmException e) {
            log.line("timeline: " + e.text());
        }
    }

    /** It has ended, or could not be started. */
    public void ended(int number) {
        starts.remove(number);
    }
}
