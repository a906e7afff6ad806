// SPDX-License-Identifier: Apache-2.0
package org.dkvm.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import org.dkvm.core.DkvmException;
import org.junit.jupiter.api.Test;

/** What a guest says that it uses, and what is left of it when it lies. */
class GuestReportTest {
    private static final int MOST = 65_536;

    private static byte[] report(long memory, long available, int processors, int count, byte[]... processes) {
        ByteBuffer bytes = ByteBuffer.allocate(MOST).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(20_000_000_000L).putLong(5_000_000_000L).putLong(memory).putLong(available);
        bytes.putInt(processors).putInt(count);
        for (byte[] process : processes) {
            bytes.put(process);
        }
        return Arrays.copyOf(bytes.array(), bytes.position());
    }

    private static byte[] process(int pid, int state, String user, String command) {
        byte[] name = user.getBytes(StandardCharsets.UTF_8);
        byte[] words = command.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(27 + name.length + words.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putInt(pid).putInt(33).put((byte) state).putLong(70_000_000L).putLong(4096);
        bytes.put((byte) name.length).put(name).put((byte) words.length).put(words);
        return bytes.array();
    }

    private static void isRefused(byte[] bytes, String reason) {
        assertThatThrownBy(() -> GuestReport.parse(bytes))
                .isInstanceOf(DkvmException.class)
                .hasMessageContaining("the guest's report can not be read: ")
                .hasMessageContaining(reason);
    }

    /** The payload of protocol/vectors/usage.hex: what is behind the header's nine bytes. */
    private static byte[] vector() throws IOException {
        StringBuilder hex = new StringBuilder();
        for (String line : Files.readAllLines(Path.of("protocol/vectors/usage.hex"))) {
            hex.append(line.startsWith("#") ? "" : line.replace(" ", ""));
        }
        byte[] frame = HexFormat.of().parseHex(hex);
        return Arrays.copyOfRange(frame, 9, frame.length);
    }

    @Test
    void theVectorIsTakenApart() throws Exception {
        GuestReport report = GuestReport.parse(vector());
        assertThat(report.time()).isEqualTo(3_000_000_000L);
        assertThat(report.busy()).isEqualTo(1_250_000_000L);
        assertThat(report.memory()).isEqualTo(268_435_456L);
        assertThat(report.used()).isEqualTo(67_108_864L);
        assertThat(report.processors()).isEqualTo(2);
        assertThat(report.count()).isEqualTo(3);
        assertThat(report.processes())
                .containsExactly(new GuestReport.GuestProcess(1, "root", 'S', 20_000_000L, 1_048_576L, "sleep 9"));
    }

    @Test
    void aUserWithoutANameIsItsNumber() throws Exception {
        GuestReport report = GuestReport.parse(report(10, 4, 1, 1, process(7, 'R', "", "x")));
        assertThat(report.processes().getFirst().user()).isEqualTo("33");
        assertThat(report.processes().getFirst().pid()).isEqualTo(7);
    }

    @Test
    void textsAreFitForATerminal() throws Exception {
        GuestReport report =
                GuestReport.parse(report(10, 4, 1, 1, process(7, 27, "ro\not", "\u001b]0;x\u0007 a\u202eb\r\n")));
        GuestReport.GuestProcess process = report.processes().getFirst();
        assertThat(process.command()).isEqualTo("\\x1b]0;x\\x07 a\\u202eb\\x0d\\x0a");
        assertThat(process.user()).isEqualTo("ro\\x0aot");
        assertThat(process.state()).isEqualTo('?');
    }

    @Test
    void moreMayBeCountedThanListedAndNotLess() throws Exception {
        assertThat(GuestReport.parse(report(10, 4, 1, -1)).count()).isEqualTo(0xFFFF_FFFFL);
        assertThat(GuestReport.parse(report(10, 4, 1, 0, process(1, 'S', "a", "b")))
                        .count())
                .isEqualTo(1);
    }

    @Test
    void availableIsNotMoreThanThereIs() throws Exception {
        assertThat(GuestReport.parse(report(10, 400, 1, 0)).used()).isZero();
    }

    @Test
    void nonsenseIsRefused() {
        isRefused(new byte[0], "0 bytes");
        isRefused(new byte[39], "39 bytes");
        isRefused(new byte[MOST + 1], "65537 bytes");
        isRefused(report(-1, 0, 1, 0), "the number 18446744073709551615");
        isRefused(report(1L << 57, 0, 1, 0), "the number 144115188075855872");
        isRefused(report(10, 0, 0, 0), "0 processors");
        isRefused(report(10, 0, -1, 0), "4294967295 processors");
        byte[] whole = report(10, 0, 1, 1, process(1, 'S', "user", "command"));
        for (int length = 41; length < whole.length; length++) {
            isRefused(Arrays.copyOf(whole, length), "cut short");
        }
    }
}
