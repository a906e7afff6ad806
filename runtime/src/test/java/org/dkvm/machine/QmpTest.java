// SPDX-License-Identifier: Apache-2.0
package org.dkvm.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.dkvm.core.DkvmException;
import org.junit.jupiter.api.Test;

class QmpTest {
    @Test
    void linesComeWholeHoweverTheyArrive() throws Exception {
        QmpLines lines = new QmpLines();
        assertThat(lines.next(bytes("{\"a\""))).isNull();
        ByteBuffer more = bytes(":1}\r\n{}\n{");
        assertThat(lines.next(more)).isEqualTo("{\"a\":1}\r");
        assertThat(lines.next(more)).isEqualTo("{}");
        assertThat(lines.next(more)).isNull();
    }

    @Test
    void lineWithoutAnEndIsBounded() {
        QmpLines lines = new QmpLines();
        assertThatThrownBy(() -> lines.next(ByteBuffer.allocate(QmpLines.MAX_LINE + 1)))
                .isInstanceOf(DkvmException.class)
                .hasMessageContaining("more than 1048576 bytes");
    }

    @Test
    void messagesAreToldApart() throws Exception {
        assertThat(QmpMessage.parse("{\"QMP\":{\"version\":{}}}").kind()).isEqualTo(QmpMessage.Kind.GREETING);
        assertThat(QmpMessage.parse("{\"return\":{}}").kind()).isEqualTo(QmpMessage.Kind.DONE);
        assertThat(QmpMessage.parse("{\"event\":\"SHUTDOWN\",\"data\":{\"guest\":true}}"))
                .isEqualTo(new QmpMessage(QmpMessage.Kind.EVENT, "SHUTDOWN {\"guest\":true}"));
        assertThat(QmpMessage.parse("{\"error\":{\"class\":\"GenericError\",\"desc\":\"no\"}}"))
                .isEqualTo(new QmpMessage(QmpMessage.Kind.FAILED, "no"));
        assertThatThrownBy(() -> QmpMessage.parse("nonsense")).isInstanceOf(DkvmException.class);
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }
}
