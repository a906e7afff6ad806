// SPDX-License-Identifier: Apache-2.0
package org.dkvm.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.dkvm.core.ContainerId;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.json.Json;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StartTimelineTest {
    private static final String WRITTEN = """
            {"mainNanos":1300000000,"processToMainNanos":100000000,
             "monitor":[{"step":"plan","nanos":10000000},{"step":"QEMU started","nanos":60000000},
                        {"step":"hello","nanos":660000000},{"step":"opened","nanos":700000000}],
             "guestHelloNanos":500000000,
             "guest":[{"step":"root","nanos":510000000},{"step":"ready","nanos":530000000}]}
            """;

    private static VmRecord vm() {
        return new VmRecord(
                new ContainerId("id1"),
                "web",
                Path.of("/run/runc/id1"),
                new VmSummary("dkvm/6.12", Accelerator.TCG, 2, MemorySize.ofMib(512)),
                new Creation(1_000_000_000L, Instant.EPOCH, 1_120_000_000L),
                List.of());
    }

    private static StartTimeline of(String written) throws DkvmException {
        return StartTimeline.of(vm(), Json.parseObject(written, "test"));
    }

    private static StartTimeline.Span span(StartTimeline timeline, String step) {
        return timeline.spans().stream()
                .filter(span -> span.step().equals(step))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void hostMonitorAndGuestComeTogetherOnOneClock() throws DkvmException {
        StartTimeline timeline = of(WRITTEN);
        assertThat(span(timeline, "create").to()).isEqualTo(120);
        assertThat(span(timeline, "runc and the engine").to()).isEqualTo(200);
        assertThat(span(timeline, "monitor's Java starts").to()).isEqualTo(300);
        assertThat(span(timeline, "hello").to()).isEqualTo(960);
        assertThat(span(timeline, "QEMU and the firmware"))
                .isEqualTo(span(timeline, "QEMU and the firmware", 360, 460));
        assertThat(span(timeline, "the kernel boots").from()).isEqualTo(460);
        assertThat(span(timeline, "agent: ready").to()).isEqualTo(990);
        assertThat(timeline.total().orElseThrow()).isCloseTo(1000, within(1e-6));
    }

    private static StartTimeline.Span span(StartTimeline timeline, String step, double from, double to) {
        return new StartTimeline.Span(span(timeline, step).lane(), step, from, to);
    }

    @Test
    void aStartThatFailedEndsWhereItDid() throws DkvmException {
        StartTimeline timeline = of(WRITTEN.replace("\"opened\"", "\"agent channel\""));
        assertThat(timeline.total()).isEmpty();
        assertThat(TimelineText.of(timeline)).contains("the last step that was reached");
        assertThat(of("{}").spans()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"mainNanos\":9223372036854775807}",
                "{\"mainNanos\":-1,\"monitor\":7}",
                "{\"mainNanos\":1300000000,\"monitor\":[{\"step\":\"x\",\"nanos\":-9}]}",
                "{\"mainNanos\":1300000000,\"guestHelloNanos\":1e300,\"monitor\":[{\"step\":\"hello\",\"nanos\":1}]}",
                "{\"mainNanos\":1300000000,\"monitor\":[{\"step\":\"hello\",\"nanos\":1}],\"guest\":[{\"nanos\":9e18}]}"
            })
    void whatASandboxMadeUpDoesNoHarm(String written) throws DkvmException {
        StartTimeline timeline = of(written);
        assertThat(timeline.end()).isBetween(0.0, 1000.0);
        assertThat(TimelineSvg.of(timeline, "t")).endsWith("</svg>\n");
    }

    @Test
    void aNameIsHarmlessOnATerminalAndInAPicture() throws DkvmException {
        StartTimeline timeline = of(
                "{\"mainNanos\":1300000000,\"monitor\":[{\"step\":\"\\u001b[2J<script>&\\\"\",\"nanos\":90000000}]}");
        assertThat(TimelineText.of(timeline)).contains("??2J?script???").doesNotContain("\u001b");
        assertThat(TimelineSvg.of(timeline, "t"))
                .contains(">??2J?script???</text>")
                .doesNotContain("script>");
    }

    private static final String MEMBERS = """
            {"members":[{"number":2,"attachedNanos":1,"steps":[{"step":"opened","nanos":1}]},
                        {"number":3,"attachedNanos":1400000000,
                         "steps":[{"step":"memory","nanos":5000000},{"step":"opened","nanos":90000000}]}]}
            """;

    private static StartTimeline ofMember(String written) throws DkvmException {
        return StartTimeline.ofMember(vm(), 3, Json.parseObject(written, "test"));
    }

    @Test
    void aFurtherContainerOfAPodHasItsOwn() throws DkvmException {
        StartTimeline timeline = ofMember(MEMBERS);
        assertThat(span(timeline, "runc and the engine").to()).isEqualTo(400);
        assertThat(span(timeline, "memory").to()).isEqualTo(405);
        assertThat(span(timeline, "agent: opened").lane()).isEqualTo(StartTimeline.Lane.GUEST);
        assertThat(timeline.total().orElseThrow()).isCloseTo(490, within(1e-6));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{\"members\":7}",
                "{\"members\":[{\"number\":3}]}",
                "{\"members\":[{\"number\":3,\"attachedNanos\":9223372036854775807,\"steps\":[{\"nanos\":1}]}]}",
                "{\"members\":[{\"number\":3,\"attachedNanos\":1400000000,\"steps\":[{\"step\":\"x\",\"nanos\":-9}]}]}"
            })
    void whatAPodsVmMadeUpDoesNoHarm(String written) throws DkvmException {
        StartTimeline timeline = ofMember(written);
        assertThat(timeline.end()).isBetween(0.0, 1000.0);
        assertThat(timeline.total()).isEmpty();
    }

    @Test
    void aBarStandsWhereItsTimeIs() throws DkvmException {
        assertThat(TimelineText.of(of(WRITTEN)).lines())
                .contains("  360 ms   100 ms  guest    QEMU and the firmware" + " ".repeat(24) + "█████");
    }
}
