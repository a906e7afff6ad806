// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProgramTest {
    private static final Duration LONG = Duration.ofMinutes(1);
    private static final Duration SHORT = Duration.ofMillis(300);

    private static Program.Answer ask(String script, Duration limit) {
        return Program.ask(List.of("sh", "-c", script), limit, 1000);
    }

    @Test
    void anAnswerIsOutputErrorsAndCode() {
        Program.Answer answer = ask("printf 'a\\0\\377'; echo no >&2; exit 3", LONG);
        assertThat(answer.output()).containsExactly('a', 0, 0xFF);
        assertThat(answer.errors()).isEqualTo("no");
        assertThat(answer.code()).isEqualTo(3);
    }

    @Test
    void moreThanTheMostIsNotRead() {
        assertThat(ask("exec yes", LONG).output()).hasSize(1000);
    }

    @Test
    void whoTakesTooLongIsEndedAlsoWhereAnotherKeepsTheOutput() {
        long before = System.nanoTime();
        assertThat(ask("exec sleep 60", SHORT).code()).isEqualTo(-1);
        // Where it ends before anyone reads, Java takes what it wrote so far for all: its own code, then.
        assertThat(ask("sleep 20 & exit 0", LONG).code()).isIn(-1, 0);
        assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(15));
    }

    @Test
    void whatIsNotThereHasNoAnswer() {
        assertThat(Program.ask(List.of("/nonexistent/program"), LONG, 10).code())
                .isEqualTo(-1);
    }
}
