// SPDX-License-Identifier: Apache-2.0
package org.dkvm.vm;

import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.dkvm.json.Json;

/**
 * Where the time of a VM's start went.
 *
 * @param spans one after the other and side by side, by their beginnings; in milliseconds since create's process was started
 * @param opened whether the workload was started
 */
public record StartTimeline(List<Span> spans, boolean opened) {
    /** Who took the time. */
    public enum Lane {
        HOST,
        MONITOR,
        GUEST
    }

    /** A step and its time. */
    public record Span(Lane lane, String step, double from, double to) {}

    /** The step with which a start is over. */
    private static final String OPENED = "opened";

    private static final String ENGINE = "runc and the engine";
    private static final String QEMU_STARTED = "QEMU started";
    private static final String HELLO = "hello";
    private static final String RESTORED = "restored from a template";
    private static final double NANOS_PER_MILLI = 1e6;
    /** No start takes a day: a number beyond is not what it says. */
    private static final double MOST_MILLIS = 24 * 3600 * 1000.0;

    private static final int MOST_STEPS = 100;
    private static final int MOST_CHARS = 40;

    public StartTimeline {
        spans = List.copyOf(spans);
    }

    /**
     * Puts together what the host knows and what the sandbox wrote down.
     *
     * @param vm the host's word
     * @param written timeline.json; it may have anything in it
     */
    public static StartTimeline of(VmRecord vm, JsonObject written) {
        double created = Math.max(0, (vm.created().endNanos() - vm.created().beginNanos()) / NANOS_PER_MILLI);
        List<Span> spans = new ArrayList<>();
        spans.add(new Span(Lane.HOST, "create", 0, created));
        double main =
                (Json.number(written, "mainNanos").orElse(0L) - vm.created().beginNanos()) / NANOS_PER_MILLI;
        double begun = main - Json.number(written, "processToMainNanos").orElse(0L) / NANOS_PER_MILLI;
        if (isBad(main) || isBad(begun)) {
            return new StartTimeline(spans, false);
        }
        spans.add(new Span(Lane.HOST, ENGINE, created, Math.max(created, begun)));
        spans.add(new Span(Lane.MONITOR, "monitor's Java starts", begun, main));
        boolean opened = false;
        double last = main;
        double qemu = main;
        double hello = 0;
        for (JsonObject step : first(Json.objects(written, "monitor"))) {
            double at = main + Json.number(step, "nanos").orElse(0L) / NANOS_PER_MILLI;
            String name = plain(Json.string(step, "step").orElse(""));
            if (isBad(at) || at < last) {
                break;
            }
            spans.add(new Span(Lane.MONITOR, name, last, at));
            qemu = name.equals(QEMU_STARTED) ? at : qemu;
            hello = name.equals(HELLO) ? at : hello;
            opened |= name.equals(OPENED);
            last = at;
        }
        if (hello > 0) {
            addGuest(spans, written, qemu, hello);
        }
        spans.sort(Comparator.comparingDouble(Span::from));
        return new StartTimeline(spans, opened);
    }

    /**
     * Likewise of a further container of a pod, whose VM runs.
     *
     * @param member the host's word
     * @param number the container's in the VM
     * @param written members.json; it may have anything in it
     */
    public static StartTimeline ofMember(VmRecord member, int number, JsonObject written) {
        long begin = member.created().beginNanos();
        double created = Math.max(0, (member.created().endNanos() - begin) / NANOS_PER_MILLI);
        List<Span> spans = new ArrayList<>();
        spans.add(new Span(Lane.HOST, "create", 0, created));
        boolean opened = false;
        for (JsonObject start : Json.objects(written, "members")) {
            double last = (Json.number(start, "attachedNanos").orElse(0L) - begin) / NANOS_PER_MILLI;
            if (Json.number(start, "number").orElse(0L) != number || isBad(last) || last < created) {
                continue;
            }
            spans.add(new Span(Lane.HOST, ENGINE, created, last));
            double attached = last;
            for (JsonObject step : first(Json.objects(start, "steps"))) {
                double at = attached + Json.number(step, "nanos").orElse(0L) / NANOS_PER_MILLI;
                String name = plain(Json.string(step, "step").orElse(""));
                if (isBad(at) || at < last) {
                    break;
                }
                boolean over = name.equals(OPENED);
                spans.add(new Span(over ? Lane.GUEST : Lane.MONITOR, over ? "agent: " + name : name, last, at));
                opened |= over;
                last = at;
            }
            break;
        }
        return new StartTimeline(spans, opened);
    }

    /** The guest's clock is the host's where they met: at the agent's first word. */
    private static void addGuest(List<Span> spans, JsonObject written, double qemu, double hello) {
        double boot = Json.number(written, "guestHelloNanos").orElse(0L) / NANOS_PER_MILLI;
        double kernel = hello - boot;
        if (isRestored(written)) {
            // Its kernel booted in its template, some time before.
            spans.add(new Span(Lane.GUEST, RESTORED, qemu, hello));
        } else {
            if (isBad(boot) || kernel < qemu) {
                kernel = qemu;
            }
            spans.add(new Span(Lane.GUEST, "QEMU and the firmware", qemu, kernel));
            spans.add(new Span(Lane.GUEST, "the kernel boots", kernel, hello));
        }
        double last = hello;
        for (JsonObject step : first(Json.objects(written, "guest"))) {
            double at = kernel + Json.number(step, "nanos").orElse(0L) / NANOS_PER_MILLI;
            if (isBad(at) || at < last) {
                return;
            }
            spans.add(new Span(
                    Lane.GUEST, "agent: " + plain(Json.string(step, "step").orElse("")), last, at));
            last = at;
        }
    }

    /** Whether the VM was restored from a template, as what it wrote down says. */
    private static boolean isRestored(JsonObject written) {
        return Json.isTrue(written, "restored");
    }

    /** Whether the VM was restored from a template. */
    public boolean restored() {
        return spans.stream()
                .anyMatch(span -> span.lane() == Lane.GUEST && span.step().equals(RESTORED));
    }

    /** From the engine's call to the workload's start, in milliseconds; empty while it is not there. */
    public Optional<Double> total() {
        return opened ? Optional.of(end()) : Optional.empty();
    }

    /** When the last step was done. */
    public double end() {
        return spans.stream().mapToDouble(Span::to).max().orElse(0);
    }

    private static boolean isBad(double millis) {
        return millis < 0 || millis > MOST_MILLIS;
    }

    private static List<JsonObject> first(List<JsonObject> steps) {
        return steps.subList(0, Math.min(steps.size(), MOST_STEPS));
    }

    /** A name that is harmless on a terminal and in XML. */
    private static String plain(String name) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < Math.min(name.length(), MOST_CHARS); i++) {
            char c = name.charAt(i);
            boolean harmless = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
            text.append(harmless || " -._".indexOf(c) >= 0 ? c : '?');
        }
        return text.toString();
    }
}
