// SPDX-License-Identifier: Apache-2.0
package org.dkvm.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
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
        QmpMessage event = QmpMessage.parse("{\"event\":\"SHUTDOWN\",\"data\":{\"guest\":true}}");
        assertThat(event.kind()).isEqualTo(QmpMessage.Kind.EVENT);
        assertThat(event.text()).isEqualTo("SHUTDOWN");
        assertThat(event.described()).isEqualTo("SHUTDOWN {\"guest\":true}");
        assertThat(QmpMessage.parse("{\"error\":{\"class\":\"GenericError\",\"desc\":\"no\"}}"))
                .isEqualTo(new QmpMessage(QmpMessage.Kind.FAILED, 0, "no", JsonNull.INSTANCE));
        assertThat(QmpMessage.parse("{\"error\":{},\"id\":7}"))
                .isEqualTo(new QmpMessage(QmpMessage.Kind.FAILED, 7, "without a description", JsonNull.INSTANCE));
        assertThat(QmpMessage.parse("{\"id\":8,\"return\":\"x\"}"))
                .isEqualTo(new QmpMessage(QmpMessage.Kind.DONE, 8, "", new JsonPrimitive("x")));
        assertThatThrownBy(() -> QmpMessage.parse("nonsense")).isInstanceOf(DkvmException.class);
    }

    @Test
    void aCommandIsOneLine() {
        JsonObject arguments = new JsonObject();
        arguments.addProperty("id", "net1\n");
        assertThat(QmpMessage.command(3, "device_del", arguments))
                .isEqualTo("{\"execute\":\"device_del\",\"id\":3,\"arguments\":{\"id\":\"net1\\u000a\"}}\n");
        assertThat(QmpMessage.command(4, "stop", new JsonObject())).isEqualTo("{\"execute\":\"stop\",\"id\":4}\n");
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }
}
