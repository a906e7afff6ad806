// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.network;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.dkvm.monitor.link.TestQemu;
import org.dkvm.monitor.loop.MonitorLog;
import org.dkvm.network.GuestPort;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class PortForwardsTest {
    private static final GuestPort WEB = new GuestPort(false, false, 80);
    private static final GuestPort NAMES = new GuestPort(true, true, 53);
    private static final String IN_USE = "could not set up host forwarding rule\\r\\n";

    private final StringBuilder received = new StringBuilder();
    private final List<String> notices = new ArrayList<>();
    private PortForwards forwards;
    private TestQemu qemu;
    private int answered;

    @BeforeEach
    void connect(@TempDir Path directory) throws IOException {
        MonitorLog log = new MonitorLog(new ByteArrayOutputStream());
        qemu = new TestQemu(directory, log);
        qemu.socket.configureBlocking(false);
        qemu.say(TestQemu.GREETING);
        assertThat(line()).contains("qmp_capabilities");
        qemu.say("{\"return\":{}}\n");
        forwards = new PortForwards(qemu.loop, qemu.control, log, notices::add);
    }

    @AfterEach
    void disconnect() throws IOException {
        qemu.close();
    }

    @Test
    void whatTheGuestListensAtIsOpenAndWhatItDoesNotIsClosed() throws Exception {
        forwards.listening(Set.of(WEB));
        assertThat(command()).isEqualTo("hostfwd_add net0 tcp:0.0.0.0:80-192.0.0.4:80");
        answer("");
        forwards.listening(Set.of(NAMES));
        assertThat(command()).isEqualTo("hostfwd_remove net0 tcp:0.0.0.0:80");
        answer("host forwarding rule for tcp:0.0.0.0:80 removed");
        assertThat(command()).isEqualTo("hostfwd_add net0 udp:127.0.0.1:53-127.0.0.1:53");
        answer("");
        assertThat(notices).isEmpty();
    }

    @Test
    void onlyTheLatestListCounts() throws Exception {
        forwards.listening(Set.of(WEB));
        for (int port = 1000; port < 2000; port++) {
            forwards.listening(Set.of(new GuestPort(false, false, port)));
        }
        forwards.listening(Set.of(NAMES));
        assertThat(command()).startsWith("hostfwd_add net0 tcp:0.0.0.0:80-");
        answer("");
        assertThat(command()).startsWith("hostfwd_remove");
        answer("");
        assertThat(command()).startsWith("hostfwd_add net0 udp:127.0.0.1:53-");
    }

    @Test
    void aPortInUseIsToldOnceAndTriedAgain() throws Exception {
        forwards.listening(Set.of(WEB));
        for (int attempt = 0; attempt < 2; attempt++) {
            assertThat(command()).isEqualTo("hostfwd_add net0 tcp:0.0.0.0:80-192.0.0.4:80");
            answer(IN_USE);
        }
        assertThat(command()).isEqualTo("hostfwd_add net0 tcp:0.0.0.0:80-192.0.0.4:80");
        answer("");
        assertThat(notices).singleElement().asString().startsWith("port 80/tcp of the VM could not be opened");
    }

    @Test
    void aPortInUseDoesNotKeepOthersWaiting() throws Exception {
        forwards.listening(Set.of(WEB));
        assertThat(command()).contains(":80");
        answer(IN_USE);
        forwards.listening(new LinkedHashSet<>(List.of(WEB, NAMES)));
        assertThat(command()).contains("udp:127.0.0.1:53");
    }

    @Test
    void manyPortsInUseFillNoLog() throws Exception {
        Set<GuestPort> many = new LinkedHashSet<>();
        for (int port = 1; port <= 40; port++) {
            many.add(new GuestPort(false, false, port));
        }
        forwards.listening(many);
        for (int port = 1; port <= 40; port++) {
            command();
            answer(IN_USE);
        }
        assertThat(notices).hasSize(10);
    }

    @Test
    void afterTheEndNothingIsOpened() throws Exception {
        forwards.listening(Set.of(WEB));
        command();
        forwards.end();
        forwards.listening(Set.of(NAMES));
        answer("");
        qemu.socket.shutdownOutput();
        qemu.loop.round(() -> {});
        assertThat(qemu.socket.read(ByteBuffer.allocate(1))).isEqualTo(-1);
    }

    /** The next command for people; timers run while it is waited for. */
    private String command() throws IOException {
        String line = line();
        assertThat(line).contains("\"human-monitor-command\"");
        int from = line.indexOf("\"command-line\":\"") + 16;
        return line.substring(from, line.indexOf('"', from));
    }

    private String line() throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(4096);
        while (received.indexOf("\n") < 0) {
            qemu.loop.post(() -> {});
            qemu.loop.round(() -> {});
            if (qemu.socket.read(bytes) > 0) {
                received.append(StandardCharsets.UTF_8.decode(bytes.flip()));
                bytes.clear();
            }
        }
        String line = received.substring(0, received.indexOf("\n"));
        received.delete(0, line.length() + 1);
        return line;
    }

    private void answer(String text) throws IOException {
        qemu.say("{\"id\":" + ++answered + ",\"return\":\"" + text + "\"}\n");
    }
}
