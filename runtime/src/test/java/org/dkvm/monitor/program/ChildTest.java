// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.program;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.dkvm.monitor.loop.MonitorLog;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

class ChildTest {
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();
    private final CompletableFuture<Boolean> end = new CompletableFuture<>();

    private Child start(String... argv) throws Exception {
        MonitorLog log = new MonitorLog(written);
        return Child.start(
                "program", List.of(argv), new SandboxPrograms(), log, child -> end.complete(child.hasEnded()));
    }

    /** To kill a process closes its output at once, which the reading thread may see before the process is gone. */
    @RepeatedTest(40)
    void oneThatIsKilledIsReportedWhenItHasEnded() throws Exception {
        Child child = start("/bin/sleep", "1000");
        child.kill();
        assertThat(end.get(20, TimeUnit.SECONDS)).isTrue();
        assertThat(child.hasFailed()).isTrue();
        assertThat(child.obituary()).startsWith("program was killed by signal 9");
    }

    @Test
    void oneThatClosesItsOutputIsReportedWhenItHasEnded() throws Exception {
        Child child = start("/bin/sh", "-c", "echo last words; exec >&- 2>&-; sleep 0.2; exit 3");
        assertThat(end.get(20, TimeUnit.SECONDS)).isTrue();
        assertThat(child.obituary()).isEqualTo("program ended with exit code 3; its last messages:\nlast words");
        assertThat(written.toString(StandardCharsets.UTF_8)).contains("program: last words");
    }
}
