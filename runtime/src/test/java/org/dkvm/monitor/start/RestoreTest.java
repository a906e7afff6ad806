// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.start;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.machine.MachineNic;
import org.dkvm.monitor.link.TestQemu;
import org.dkvm.monitor.loop.MonitorLog;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RestoreTest {
    private static final String COMPLETED = "{\"event\":\"MIGRATION\",\"data\":{\"status\":\"completed\"}}\n";

    private final List<String> told = new ArrayList<>();
    private TestQemu qemu;
    private BufferedReader commands;

    @BeforeEach
    void begin(@TempDir Path directory) throws IOException {
        qemu = new TestQemu(directory, new MonitorLog(new ByteArrayOutputStream()));
        commands = new BufferedReader(Channels.newReader(qemu.socket, StandardCharsets.UTF_8));
        MachineNic nic = new MachineNic("tap0", "02:42:ac:11:00:02", 1500, false);
        new Restore(
                        qemu.control,
                        List.of(nic),
                        () -> told.add("restored"),
                        (reason, blamed) -> told.add(reason + (blamed ? ", its fault" : "")))
                .begin();
        qemu.say(TestQemu.GREETING);
        qemu.say("{\"return\":{}}\n");
        assertThat(commands.readLine()).contains("qmp_capabilities");
    }

    @AfterEach
    void end() throws IOException {
        qemu.close();
    }

    private void done(int id) throws IOException {
        qemu.say("{\"id\":" + id + ",\"return\":{}}\n");
    }

    private void load() throws IOException {
        assertThat(commands.readLine()).contains("migrate-set-capabilities", "x-ignore-shared", "events");
        assertThat(commands.readLine()).contains("migrate-set-parameters", "\"announce-rounds\":0");
        assertThat(commands.readLine()).contains("netdev_add", "tap0");
        assertThat(commands.readLine()).contains("device_add", "02:42:ac:11:00:02", "\"bus\":\"card0\"");
        assertThat(commands.readLine()).contains("migrate-incoming", "file:/dev/fdset/200");
    }

    @Test
    void theCardsAreThereBeforeItIsLoaded() throws IOException {
        load();
        for (int id = 1; id <= 5; id++) {
            done(id);
        }
        assertThat(told).isEmpty();
        qemu.say(COMPLETED);
        assertThat(commands.readLine()).contains("remove-fd", "\"fdset-id\":200");
        assertThat(told).containsExactly("restored");
    }

    @Test
    void aStateThatIsNotLoadedIsAFailure() throws IOException {
        load();
        qemu.say("{\"event\":\"MIGRATION\",\"data\":{\"status\":\"failed\"}}\n");
        qemu.say(COMPLETED);
        assertThat(told).containsExactly("QEMU can not load the template, its fault");
    }

    @Test
    void aCommandThatFailsIsAFailure() throws IOException {
        load();
        done(1);
        done(2);
        qemu.say("{\"id\":3,\"error\":{\"desc\":\"no tap\"}}\n");
        qemu.say(COMPLETED);
        assertThat(told).containsExactly("netdev_add: no tap");
    }
}
