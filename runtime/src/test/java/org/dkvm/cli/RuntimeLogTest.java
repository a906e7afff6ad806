// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import org.dkvm.cli.RuntimeLog.Level;
import org.dkvm.core.DkvmException;
import org.dkvm.json.Json;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RuntimeLogTest {
    @TempDir
    Path directory;

    @Test
    void jsonLinesAreRuncs() {
        assertThat(new RuntimeLog("", true).line(Level.ERROR, "a \"b\"", "2026-01-01T00:00:00Z"))
                .isEqualTo("{\"level\":\"error\",\"msg\":\"a \\\"b\\\"\",\"time\":\"2026-01-01T00:00:00Z\"}");
    }

    @Test
    void textLinesAreRuncs() {
        assertThat(new RuntimeLog("", false).line(Level.WARNING, "a \"b\"\n", "T"))
                .isEqualTo("time=\"T\" level=warning msg=\"a \\\"b\\\"\\n\"");
    }

    @Test
    void linesAreAddedToTheLog() throws IOException, DkvmException {
        Path file = Files.writeString(directory.resolve("log.json"), "{\"level\":\"info\"}\n");
        new RuntimeLog(file.toString(), true).write(Level.ERROR, "bad");
        assertThat(Files.readAllLines(file)).hasSize(2);
        JsonObject line = Json.parseObject(Files.readAllLines(file).getLast(), "log");
        assertThat(Json.string(line, "msg")).contains("bad");
        assertThat(Instant.parse(line.get("time").getAsString()))
                .isBefore(Instant.now().plusSeconds(1));
    }

    @Test
    void aWarningIsOnStderrOnlyWhereThereIsNoLog() throws IOException {
        Path file = directory.resolve("log.json");
        ByteArrayOutputStream stderr = new ByteArrayOutputStream();
        PrintStream stream = new PrintStream(stderr, true, StandardCharsets.UTF_8);
        new RuntimeLog(file.toString(), true, stream).write(Level.WARNING, "careful");
        assertThat(file).content().contains("careful");
        assertThat(stderr.toString(StandardCharsets.UTF_8)).isEmpty();
        new RuntimeLog(file.toString(), true, stream).write(Level.ERROR, "bad");
        new RuntimeLog("", true, stream).write(Level.WARNING, "careful");
        assertThat(stderr.toString(StandardCharsets.UTF_8)).isEqualTo("bad\ncareful\n");
    }

    @Test
    void aLogThatCanNotBeWrittenHidesNothing() {
        new RuntimeLog(directory.resolve("no/log").toString(), true).write(Level.ERROR, "bad");
        assertThat(directory.resolve("no")).doesNotExist();
    }
}
