// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.program;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.dkvm.core.DkvmException;
import org.dkvm.core.machine.Descriptor;
import org.dkvm.monitor.loop.MonitorLog;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A program's life as dkvm-init tells it, here a test. */
@Timeout(20)
class ChildTest {
    private static final ProgramStart START = ProgramStart.of(ProgramStart.Kind.EXHAUST, List.of("/program", "a"));

    private final ByteArrayOutputStream written = new ByteArrayOutputStream();
    private final CompletableFuture<Boolean> end = new CompletableFuture<>();
    private ServerSocketChannel listener;
    private Path socket;

    @BeforeEach
    void listen(@TempDir Path directory) throws Exception {
        socket = directory.resolve("start.sock");
        listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(socket));
    }

    @AfterEach
    void close() throws Exception {
        listener.close();
    }

    private Child start() throws DkvmException {
        return Child.start(
                "program",
                START,
                new SandboxPrograms(socket, socket),
                new MonitorLog(written),
                child -> end.complete(child.hasEnded()));
    }

    /** Answers a request before it has been made. */
    private CompletableFuture<SocketChannel> answer(int... bytes) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                SocketChannel channel = listener.accept();
                channel.read(ByteBuffer.allocate(START.toBytes().length));
                say(channel, bytes);
                return channel;
            } catch (java.io.IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        });
    }

    private static void say(SocketChannel channel, int... bytes) throws java.io.IOException {
        ByteBuffer buffer = ByteBuffer.allocate(bytes.length);
        for (int value : bytes) {
            buffer.put((byte) value);
        }
        channel.write(buffer.flip());
    }

    @Test
    void oneThatIsKilledIsReportedWhenItHasEnded() throws Exception {
        var accepted = answer(1, 4, 0, 42, 0, 0, 0);
        Child child = start();
        child.signal(28);
        child.kill();
        try (SocketChannel init = accepted.get()) {
            ByteBuffer heard = ByteBuffer.allocate(2);
            while (init.read(heard) >= 0) {
                assertThat(child.hasEnded()).isFalse();
            }
            assertThat(heard.flip()).isEqualTo(ByteBuffer.wrap(new byte[] {28}));
            say(init, 4, 4, 0, 137, 0, 0, 0);
        }
        assertThat(end.get(20, TimeUnit.SECONDS)).isTrue();
        assertThat(child.hasFailed()).isTrue();
        assertThat(child.obituary()).startsWith("program was killed by signal 9");
    }

    @Test
    void whatItSaysIsInTheLogAndTheLastOfItIsKept() throws Exception {
        var accepted = answer(1, 4, 0, 42, 0, 0, 0, 3, 5, 0, 'l', 'a', 's', 't', ' ');
        Child child = start();
        try (SocketChannel init = accepted.get()) {
            say(init, 3, 6, 0, 'w', 'o', 'r', 'd', 's', '\n');
            say(init, 4, 4, 0, 3, 0, 0, 0);
            assertThat(end.get(20, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(child.obituary()).isEqualTo("program ended with exit code 3; its last messages:\nlast words");
        assertThat(written.toString(StandardCharsets.UTF_8))
                .contains("program: last")
                .contains("program: words");
    }

    @Test
    void oneThatWasNotStartedIsNoChild() throws Exception {
        var accepted = answer(2, 5, 0, 'n', 'o', ' ', 'i', 't');
        assertThatThrownBy(this::start).isInstanceOf(DkvmException.class).hasMessage("can not start program: no it");
        accepted.get().close();
    }

    @Test
    void oneOfAnInitThatIsGoneHasEnded() throws Exception {
        var accepted = answer(1, 4, 0, 42, 0, 0, 0);
        Child child = start();
        accepted.get().close();
        assertThat(end.get(20, TimeUnit.SECONDS)).isTrue();
        assertThat(child.hasFailed()).isTrue();
    }

    @Test
    void aRequestIsWrittenAsInitReadsIt() {
        ProgramStart start = new ProgramStart(
                ProgramStart.Kind.QEMU,
                List.of("/q", "-x"),
                List.of(
                        new Descriptor.Connection(10, Path.of("/s")),
                        new Descriptor.Reading(15, Path.of("/t")),
                        new Descriptor.Writing(16, Path.of("/t")),
                        new Descriptor.DiskFile(20, "/v", "/d")),
                true,
                Map.of("TERM", "x"));
        assertThat(HexFormat.of().formatHex(start.toBytes()))
                .isEqualTo("2b000000" + "01" + "01" + "04" + "0200" + "0100" //
                        + "010a2f7300" + "020f2f7400" + "03102f7400" + "04142f76002f6400"
                        + "2f7100" + "2d7800" + "5445524d3d7800");
    }
}
