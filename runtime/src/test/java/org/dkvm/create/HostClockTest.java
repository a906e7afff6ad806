// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostClockTest {
    @TempDir
    Path directory;

    private HostClock saying(String script) {
        return new HostClock(
                List.of("/bin/sh", "-c", script), directory.resolve("state"), directory.resolve("cache/tsc"));
    }

    private Path count() {
        return directory.resolve("count");
    }

    @Test
    void itIsMeasuredOncePerBoot() throws IOException {
        HostClock clock = saying("echo x >>" + count() + "; echo 2596094");
        assertThat(clock.kilohertz()).isEqualTo(2_596_094);
        assertThat(clock.kilohertz()).isEqualTo(2_596_094);
        assertThat(count()).hasContent("x");
        Files.writeString(directory.resolve("state/tsc"), "another-boot 1234567\n");
        assertThat(clock.kilohertz()).isEqualTo(2_596_094);
        assertThat(Files.readAllLines(count())).hasSize(2);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"exit 1", "echo 2596094; exit 1", "echo no number", "echo 5", "echo 99999999999999999999", "true"
            })
    void whatMakesNoSenseIsNotTold(String script) {
        assertThat(saying(script).kilohertz()).isZero();
    }

    @Test
    void aMissingProgramIsNotTriedAgainAtEachStart() throws IOException {
        HostClock clock = new HostClock(
                List.of(directory.resolve("none").toString()),
                directory.resolve("state"),
                directory.resolve("cache/tsc"));
        assertThat(clock.kilohertz()).isZero();
        assertThat(Files.readString(directory.resolve("state/tsc"))).endsWith(" 0\n");
    }

    @Test
    void aDamagedStateIsMeasuredAgainOrNotTold() throws IOException {
        Path state = Files.createDirectories(directory.resolve("state"));
        Files.write(state.resolve("tsc"), new byte[10_000]);
        assertThat(saying("echo 3000000").kilohertz()).isEqualTo(3_000_000);
    }

    @Test
    void whereNothingCanBeKeptItIsStillTold() throws IOException {
        Files.writeString(directory.resolve("state"), "a file");
        assertThat(saying("echo 3000000").kilohertz()).isEqualTo(3_000_000);
    }

    @Test
    void aSmallErrorOfMeasuringIsNone() throws IOException {
        assertThat(saying("echo 2299999").kilohertz()).isEqualTo(2_299_999);
        Files.delete(directory.resolve("state/tsc"));
        assertThat(saying("echo 2300000").kilohertz()).isEqualTo(2_299_999);
        Files.delete(directory.resolve("state/tsc"));
        assertThat(saying("echo 2301000").kilohertz()).isEqualTo(2_301_000);
        Files.delete(directory.resolve("state/tsc"));
        assertThat(saying("echo 2300999").kilohertz()).isEqualTo(2_301_000);
    }
}
