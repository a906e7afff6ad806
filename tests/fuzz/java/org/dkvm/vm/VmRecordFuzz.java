// SPDX-License-Identifier: Apache-2.0
package org.dkvm.vm;

import com.google.gson.JsonObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.dkvm.core.DkvmException;
import org.dkvm.fuzz.Bounded;
import org.dkvm.fuzz.Scratch;
import org.dkvm.json.Json;

/** What is kept of a VM: the host's record, and the timeline, which a sandbox wrote. The input is both, with a NUL between them. */
public final class VmRecordFuzz {
    private static final Path FILE = Scratch.directory("vm").resolve(VmRecord.FILE);

    private VmRecordFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        Bounded.run(input, bytes -> take(new String(bytes, StandardCharsets.UTF_8)));
    }

    private static void take(String text) throws Exception {
        int nul = text.indexOf('\0');
        Files.writeString(FILE, nul < 0 ? text : text.substring(0, nul));
        VmRecord vm;
        JsonObject timeline;
        try {
            vm = VmRecord.read(FILE);
            JsonObject written = vm.toJson();
            JsonObject given = Json.readObject(FILE);
            for (String name : written.keySet()) {
                Bounded.check(
                        Json.string(written, name).equals(Json.string(given, name))
                                && Json.number(written, name).equals(Json.number(given, name)),
                        "\"" + name + "\" " + given.get(name) + " is read as " + written.get(name));
            }
            timeline = Json.parseObject(nul < 0 ? "{}" : text.substring(nul + 1), "timeline");
        } catch (DkvmException e) {
            return;
        }
        StartTimeline start = StartTimeline.of(vm, timeline);
        String shown = TimelineText.of(start) + TimelineSvg.of(start, "title");
        Bounded.check(
                shown.length() < 256 * 1024 && shown.chars().allMatch(c -> c == '\n' || (c >= ' ' && c != 0x7f)),
                "a timeline that is not fit for a terminal");
    }
}
