// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.link;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.monitor.loop.MonitorLog;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QemuControlTest {
    private static final JsonObject NO_ARGUMENTS = new JsonObject();

    private final List<String> told = new ArrayList<>();
    private final ByteArrayOutputStream log = new ByteArrayOutputStream();
    private TestQemu qemu;
    private QemuControl control;
    private BufferedReader commands;

    @BeforeEach
    void connect(@TempDir Path directory) throws IOException {
        qemu = new TestQemu(directory, new MonitorLog(log));
        control = qemu.control;
        commands = new BufferedReader(Channels.newReader(qemu.socket, StandardCharsets.UTF_8));
    }

    @AfterEach
    void disconnect() throws IOException {
        qemu.close();
    }

    @Test
    void commandsWaitForTheGreetingAndAnswersFindThem() throws Exception {
        control.execute("first", NO_ARGUMENTS, told("first"));
        qemu.say(TestQemu.GREETING);
        assertThat(commands.readLine()).isEqualTo("{\"execute\":\"qmp_capabilities\"}");
        qemu.say("{\"return\":{}}\n");
        assertThat(commands.readLine()).isEqualTo("{\"execute\":\"first\",\"id\":1}");
        control.execute("second", NO_ARGUMENTS, told("second"));
        assertThat(commands.readLine()).isEqualTo("{\"execute\":\"second\",\"id\":2}");
        qemu.say("{\"id\":2,\"error\":{\"desc\":\"not now\"}}\n{\"id\":1,\"return\":5}\n{\"id\":1,\"return\":6}\n");
        assertThat(told).containsExactly("second failed: not now", "first returned 5");
    }

    @Test
    void eventsAreTold() throws Exception {
        control.observe(event -> told.add(event.described()));
        qemu.say(TestQemu.GREETING + "{\"event\":\"DEVICE_DELETED\",\"data\":{\"device\":\"net1\"}}\n");
        assertThat(told).containsExactly("DEVICE_DELETED {\"device\":\"net1\"}");
        assertThat(log.toString(StandardCharsets.UTF_8)).contains("QEMU: DEVICE_DELETED");
    }

    @Test
    void whoWaitsHearsThatQemuHasGone() throws Exception {
        qemu.say(TestQemu.GREETING + "{\"return\":{}}\n");
        control.execute("late", NO_ARGUMENTS, told("late"));
        qemu.socket.close();
        qemu.loop.round(() -> {});
        control.execute("later", NO_ARGUMENTS, told("later"));
        assertThat(told).containsExactly("late failed: QEMU has gone", "later failed: QEMU has gone");
    }

    @Test
    void nonsenseEndsTheConnection() throws Exception {
        control.execute("early", NO_ARGUMENTS, told("early"));
        qemu.say("nonsense\n");
        assertThat(told).containsExactly("early failed: QEMU has gone");
        assertThat(log.toString(StandardCharsets.UTF_8)).contains("is not a JSON object");
    }

    private QemuAnswer told(String name) {
        return new QemuAnswer() {
            @Override
            public void done(JsonElement returned) {
                told.add(name + " returned " + returned);
            }

            @Override
            public void failed(String reason) {
                told.add(name + " failed: " + reason);
            }
        };
    }
}
