// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.core.PackageLayout;
import org.dkvm.core.machine.MachineSize;
import org.dkvm.template.TemplateKey;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TemplateOrderTest {
    private static final Instant NOW = Instant.ofEpochSecond(1_800_000_000L);

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    private Path directory;

    private static TemplateKey key(int number) {
        return new TemplateKey("%064x".formatted(number));
    }

    private boolean isDue(int key, Instant now) throws IOException, DkvmException {
        return new TemplateOrder(new PackageLayout(Path.of("/opt/dkvm")), directory.resolve("run/asked"))
                .isDue(key(key), now);
    }

    @Test
    void theSameIsNotOrderedAgainForAWhile() throws Exception {
        assertThat(isDue(1, NOW)).isTrue();
        assertThat(isDue(1, NOW.plus(TemplateOrder.PAUSE).plusSeconds(1))).isFalse();
        assertThat(isDue(1, NOW.plus(TemplateOrder.PATIENCE))).isTrue();
    }

    @Test
    void thereIsAPauseBetweenTwoOrders() throws Exception {
        assertThat(isDue(1, NOW)).isTrue();
        assertThat(isDue(2, NOW.plusSeconds(1))).isFalse();
        assertThat(isDue(2, NOW.plus(TemplateOrder.PAUSE))).isTrue();
        assertThat(isDue(1, NOW.plus(TemplateOrder.PAUSE.multipliedBy(2)))).isFalse();
    }

    @Test
    void whatIsRememberedIsBounded() throws Exception {
        StringBuilder lines = new StringBuilder("damaged\n");
        for (int i = 0; i < 500; i++) {
            lines.append(key(i).text()).append(' ').append(NOW.toEpochMilli()).append('\n');
        }
        Path asked = Files.createDirectories(directory.resolve("run")).resolve("asked");
        Files.write(asked, lines.toString().getBytes(StandardCharsets.UTF_8));
        assertThat(isDue(1000, NOW.plus(TemplateOrder.PAUSE))).isTrue();
        assertThat(Files.readAllLines(asked))
                .hasSize(TemplateOrder.MOST_LINES)
                .last()
                .asString()
                .startsWith(key(1000).text());
    }

    @Test
    void aClockThatWasWrongForbidsNothing() throws Exception {
        assertThat(isDue(1, NOW.plus(Duration.ofDays(100)))).isTrue();
        assertThat(isDue(1, NOW)).isTrue();
    }

    @Test
    void theMakerIsToldWhatWasMissed() {
        MachineSize size = MachineSize.fixed(2, MemorySize.ofMib(300));
        assertThat(TemplateOrder.command(new PackageLayout(Path.of("/opt/dkvm")), key(7), size))
                .startsWith("setsid", "nice", "-n", "19", "/opt/dkvm/bin/dkvm", "template", "make")
                .containsSequence("--for", key(7).text(), "--memory", "300", "--cpus", "2");
    }
}
