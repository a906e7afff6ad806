// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class GuestTextTest {
    @Test
    void controlCharactersAreShownNotObeyed() {
        assertThat(line("a\u001b[31mb\u0007\r\n\u009b\u202e")).isEqualTo("a\\x1b[31mb\\x07\\x0d\\x0a\\x9b\\u202e");
        assertThat(line("tab\tä€ 日本")).isEqualTo("tab\tä€ 日本");
    }

    @Test
    void bytesThatAreNoTextDoNotStopIt() {
        assertThat(GuestText.line(ByteBuffer.wrap(new byte[] {'a', (byte) 0xff, 'b'})))
                .isEqualTo("a\ufffdb");
    }

    @Test
    void severalLinesKeepTheirEnds() {
        assertThat(GuestText.lines("one\r\ntwo\u001b\n".getBytes(StandardCharsets.UTF_8)))
                .isEqualTo("one\ntwo\\x1b\n");
    }

    @Test
    void tailHasTheLastLinesOnly() {
        assertThat(GuestText.tail("1\n2\n3\n", 2, 100)).isEqualTo("2\n3");
        assertThat(GuestText.tail("1\n2\n3\n", 9, 100)).isEqualTo("1\n2\n3");
        assertThat(GuestText.tail("a long line\nend", 9, 8)).isEqualTo("end");
        assertThat(GuestText.tail("one long line", 9, 4)).isEqualTo("line");
        assertThat(GuestText.tail("\n\n", 9, 4)).isEmpty();
    }

    private static String line(String text) {
        return GuestText.line(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    }
}
