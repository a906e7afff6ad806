// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.services;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.core.machine.Growth;
import org.dkvm.core.machine.MachineSize;
import org.dkvm.json.Json;
import org.dkvm.monitor.link.QemuControl;
import org.dkvm.monitor.loop.EventLoop;
import org.dkvm.monitor.loop.MonitorLog;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against a QEMU whose guest gives and takes as the case says. */
class MemoryChangeTest {
    private static final long MIB = 1024 * 1024;

    private final List<String> answers = new ArrayList<>();
    private final List<String> commands = new ArrayList<>();
    private EventLoop loop;
    private MemoryChange memory;
    private SocketChannel qemu;
    private final StringBuilder unread = new StringBuilder();
    private long balloon = 256 * MIB;
    private long device;
    /** The guest keeps at least so much of either. */
    private long keepsInDevice;

    private long keepsOfBalloon;

    @BeforeEach
    void connect(@TempDir Path directory) throws IOException {
        loop = new EventLoop();
        QemuControl control = new QemuControl(loop, new MonitorLog(new ByteArrayOutputStream()));
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(directory.resolve("qmp"));
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(address);
            qemu = SocketChannel.open(address);
            SocketChannel accepted = server.accept();
            accepted.configureBlocking(false);
            control.connected(accepted);
        }
        qemu.configureBlocking(false);
        say("{\"QMP\":{}}\n");
        assertThat(nextLine()).contains("qmp_capabilities");
        say("{\"return\":{}}\n");
        memory = new MemoryChange(
                new MachineSize(1, MemorySize.ofMib(256), new Growth(1, MemorySize.ofMib(1024))), loop, control);
    }

    @AfterEach
    void disconnect() throws IOException {
        qemu.close();
        loop.selector().close();
    }

    @Test
    void lessThanAtTheStartIsInTheBalloon() throws Exception {
        to(128);
        assertThat(answers).containsExactly("");
        assertThat(commands).containsExactly("balloon 134217728");
    }

    @Test
    void moreIsPluggedInOnceAndGoesAgain() throws Exception {
        to(302);
        assertThat(commands).containsExactly("object-add 805306368", "device_add 50331648", "balloon 266338304");
        to(600);
        to(128);
        assertThat(answers).containsExactly("", "", "");
        assertThat(commands.subList(3, commands.size()))
                .containsExactly("qom-set 360710144", "balloon 268435456", "qom-set 0", "balloon 134217728");
        assertThat(memory.target()).isEqualTo(128 * MIB);
    }

    @Test
    void theBalloonMakesUpForWhatTheDeviceDoesNotGetBack() throws Exception {
        to(512);
        keepsInDevice = 8 * MIB;
        to(256);
        assertThat(answers).containsExactly("", "");
        assertThat(commands).endsWith("qom-set 0", "balloon 268435456", "qom-set 8388608", "balloon 260046848");
    }

    @Test
    void aGuestThatUsesItsMemoryIsSaidSo() throws Exception {
        keepsOfBalloon = 200 * MIB;
        to(128);
        assertThat(answers)
                .containsExactly("the guest uses its memory and gives back only so much that it still has 200 MiB");
    }

    @Test
    void whatQemuRefusesIsSaid() throws Exception {
        memory.to(512 * MIB, answers::add);
        JsonObject command = Json.parseObject(nextLine(), "");
        say("{\"id\":" + command.get("id") + ",\"error\":{\"desc\":\"no room\"}}\n");
        assertThat(answers).containsExactly("QEMU can not change the memory: no room");
    }

    private void to(long mib) throws IOException, DkvmException {
        int before = answers.size();
        memory.to(mib * MIB, answers::add);
        while (answers.size() == before) {
            JsonObject command = Json.parseObject(nextLine(), "");
            say("{\"id\":" + command.get("id") + ",\"return\":" + returned(command) + "}\n");
        }
    }

    /** The next command; it may come by a timer. */
    private String nextLine() throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(4096);
        while (unread.indexOf("\n") < 0) {
            if (qemu.read(bytes.clear()) > 0) {
                unread.append(StandardCharsets.UTF_8.decode(bytes.flip()));
            } else {
                loop.round(() -> {});
            }
        }
        String line = unread.substring(0, unread.indexOf("\n"));
        unread.delete(0, line.length() + 1);
        return line;
    }

    private String returned(JsonObject command) {
        String name = command.get("execute").getAsString();
        JsonObject arguments = Json.objectOrNew(command, "arguments");
        switch (name) {
            case "query-balloon" -> {
                return "{\"actual\":" + balloon + "}";
            }
            case "qom-get" -> {
                return Long.toString(device);
            }
            case "balloon" -> balloon = Math.max(keepsOfBalloon, write(name, arguments, "value"));
            case "qom-set" -> device = Math.max(keepsInDevice, write(name, arguments, "value"));
            case "device_add" -> device = write(name, arguments, "requested-size");
            default -> write(name, arguments, "size");
        }
        return "{}";
    }

    private long write(String name, JsonObject arguments, String what) {
        long value = arguments.get(what).getAsLong();
        commands.add(name + " " + value);
        return value;
    }

    private void say(String text) throws IOException {
        qemu.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
        loop.round(() -> {});
    }
}
