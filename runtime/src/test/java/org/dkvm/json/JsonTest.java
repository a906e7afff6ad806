// SPDX-License-Identifier: Apache-2.0
package org.dkvm.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.dkvm.core.DkvmException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{\"a\":[]}",
                "{\"a\":{},\"b\":[1,2.50,-0,1e400,18446744073709551615],\"c\":[true,false,null]}",
                "{\"\":\"\",\"\\\"\\\\\":\"<&>\u00e9\ud83d\ude00/\"}",
                "{\"c\":\"\\u0000\\u001f\\u0009\"}"
            })
    void whatIsReadIsWrittenAsItStood(String text) throws DkvmException {
        assertThat(Json.write(Json.parseObject(text, "test"))).isEqualTo(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "[]", "{", "null", "{\"a\":}", "{\"a\":1}x"})
    void whatIsNoObjectIsRefused(String text) {
        assertThatThrownBy(() -> Json.parseObject(text, "test"))
                .isInstanceOf(DkvmException.class)
                .hasMessageContaining("\"test\" is not");
    }

    @Test
    void deepNestingIsRefusedNotACrash() {
        assertThatThrownBy(() -> Json.parseObject("{\"a\":" + "[".repeat(1_000_000), "test"))
                .isInstanceOf(DkvmException.class);
    }

    @Test
    void bytesThatAreNoUtf8AreReplacedAsGoDoes(@TempDir Path directory) throws IOException, DkvmException {
        Path file =
                Files.write(directory.resolve("f"), new byte[] {'{', '"', 'a', '"', ':', '"', (byte) 0xFF, '"', '}'});
        assertThat(Json.string(Json.readObject(file), "a")).contains("\ufffd");
    }

    @Test
    void wholeNumbersAreReadInEverySpelling() throws DkvmException {
        JsonObject json =
                Json.parseObject("{\"a\":7,\"b\":1e3,\"c\":1.5,\"d\":99999999999999999999,\"e\":\"1\"}", "test");
        assertThat(Json.number(json, "a")).contains(7L);
        assertThat(Json.number(json, "b")).contains(1000L);
        assertThat(Json.number(json, "c")).isEmpty();
        assertThat(Json.number(json, "d")).isEmpty();
        assertThat(Json.number(json, "e")).isEmpty();
    }

    @Test
    void anObjectIsMadeOfItsMembersInTheirOrder() {
        assertThat(Json.objectOf("b", "text", "a", 1, "c", true, "d", Json.arrayOf(List.of("x"))))
                .hasToString("{\"b\":\"text\",\"a\":1,\"c\":true,\"d\":[\"x\"]}");
        assertThatThrownBy(() -> Json.objectOf("a", 'x')).isInstanceOf(IllegalArgumentException.class);
    }
}
