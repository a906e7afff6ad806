// SPDX-License-Identifier: Apache-2.0
package org.dkvm.install;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import org.dkvm.core.DkvmException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DaemonConfigTest {
    private static final String PROGRAM = "/opt/dkvm/scripts/dkvm-runtime";

    @Test
    void anEmptyFileGetsTheRuntimeOnly() throws Exception {
        assertThat(DaemonConfig.register("", "dkvm", PROGRAM)).isEqualTo("""
                {
                  "runtimes": {
                    "dkvm": {
                      "path": "/opt/dkvm/scripts/dkvm-runtime"
                    }
                  }
                }
                """);
    }

    @Test
    void everythingElseStaysByteByByte() throws Exception {
        String text = """
                {
                \t"mtu": 1.50e3,
                \t"big":12345678901234567890123 ,
                \t"future": {"a": [null, true, "<&>}\\"{"]},

                \t"runtimes": {"kata": {"runtimeType": "io.containerd.kata.v2"}},
                \t"debug" : false
                }
                """;
        assertThat(DaemonConfig.register(text, "dkvm", PROGRAM))
                .isEqualTo(text.replace("kata.v2\"}", "kata.v2\"}, \"dkvm\": {\"path\": \"" + PROGRAM + "\"}"));
        String without = text.replaceFirst("(?m)^.*runtimes.*\n", "");
        assertThat(DaemonConfig.register(without, "dkvm", PROGRAM))
                .isEqualTo(without.replace("\"debug\" : false\n", """
                        "debug" : false,
                        \t"runtimes": {
                        \t\t"dkvm": {
                        \t\t\t"path": "/opt/dkvm/scripts/dkvm-runtime"
                        \t\t}
                        \t}
                        """));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{\n}\n",
                "{ \"runtimes\" : { } }",
                "{\"debug\":true}",
                "{\"runtimes\":{\"a\":{\"path\":\"/a\"}},\"x\":[1,{\"y\":\"]}\"}]}",
                "  {\r\n    \"a\\u0062\": -1.5E-3\r\n  }  ",
                "{\"runtimes\":{\"dkvm\":{\"runtimeArgs\":[\"--debug\"]}}}",
                "{\"runtimes\":{},\"runtimes\":{\"b\":{\"path\":\"/b\"}}}"
            })
    void whateverTheLayoutItSaysWhatItIsToSay(String text) throws Exception {
        JsonObject before = JsonParser.parseString(text).getAsJsonObject();
        String registered = DaemonConfig.register(text, "dkvm", PROGRAM);
        JsonObject after = JsonParser.parseString(registered).getAsJsonObject();
        assertThat(after.getAsJsonObject("runtimes")
                        .getAsJsonObject("dkvm")
                        .get("path")
                        .getAsString())
                .isEqualTo(PROGRAM);
        after.getAsJsonObject("runtimes").remove("dkvm");
        if (before.has("runtimes")) {
            before.getAsJsonObject("runtimes").remove("dkvm");
        } else {
            after.remove("runtimes");
        }
        assertThat(after).isEqualTo(before);
        String unregistered = DaemonConfig.unregister(registered, "dkvm");
        if (before.has("runtimes") && before.getAsJsonObject("runtimes").isEmpty()) {
            before.remove("runtimes");
        }
        assertThat(unregistered.isEmpty() ? new JsonObject() : JsonParser.parseString(unregistered))
                .isEqualTo(before);
    }

    @Test
    void registeringTwiceChangesNothing() throws Exception {
        String once = DaemonConfig.register("{\"runtimes\":{}}", "dkvm", PROGRAM);
        assertThat(DaemonConfig.register(once, "dkvm", PROGRAM)).isSameAs(once);
    }

    @Test
    void anotherPathIsReplacedAndTheArgumentsOfTheRuntimeStay() throws Exception {
        String text = "{\"runtimes\":{\"dkvm\":{\"path\":\"/old\",\"runtimeArgs\":[\"--debug\"]}}}";
        assertThat(DaemonConfig.register(text, "dkvm", PROGRAM))
                .contains("--debug", PROGRAM)
                .doesNotContain("/old");
    }

    @Test
    void unregisteringUndoesRegistering() throws Exception {
        String text = "{\n    \"debug\": true\n}\n";
        assertThat(DaemonConfig.unregister(DaemonConfig.register(text, "dkvm", PROGRAM), "dkvm"))
                .isEqualTo(text);
        assertThat(DaemonConfig.unregister(DaemonConfig.register("", "dkvm", PROGRAM), "dkvm"))
                .isEmpty();
    }

    @Test
    void unregisteringWhatIsNotThereChangesNothing() throws Exception {
        String text = "{ \"runtimes\": {\"kata\":{}} }";
        assertThat(DaemonConfig.unregister(text, "dkvm")).isSameAs(text);
    }

    @Test
    void theDefaultRuntimeIsNotLeftPointingNowhere() throws Exception {
        String text = "{\"default-runtime\":\"dkvm\",\"runtimes\":{\"dkvm\":{\"path\":\"/x\"}},\"debug\":true}";
        assertThat(DaemonConfig.unregister(text, "dkvm")).isEqualTo("{\"debug\":true}");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{ // a comment\n }",
                "{ \"a\": 1, }",
                "{ 'a': 1 }",
                "{ \"a\": 1 ",
                "{ \"a\": 1 } { }",
                "[]",
                "true",
                "{ \"runtimes\": [] }",
                "{ \"runtimes\": { \"dkvm\": \"/x\" } }",
                "hello"
            })
    void whatDockerdWouldRefuseIsRefused(String text) {
        assertThatThrownBy(() -> DaemonConfig.register(text, "dkvm", PROGRAM)).isInstanceOf(DkvmException.class);
    }
}
