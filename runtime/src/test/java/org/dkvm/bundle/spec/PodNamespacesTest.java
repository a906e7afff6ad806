// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import org.dkvm.core.DkvmException;
import org.dkvm.json.Json;
import org.junit.jupiter.api.Test;

class PodNamespacesTest {
    private static final long PAUSE = 77;
    private static final String NETWORK = "network=/proc/77/ns/net";

    @Test
    void aContainerIsThePodsByWhateverItJoins() {
        assertThat(PodNamespaces.isAnyJoined(spec("network=", "ipc=", "uts=", "pid="), PAUSE))
                .isFalse();
        assertThat(PodNamespaces.isAnyJoined(spec("network=/run/netns/x", "ipc=/proc/78/ns/ipc", "pid="), PAUSE))
                .isFalse();
        for (String joined :
                new String[] {NETWORK, "ipc=/proc/77/ns/ipc", "uts=/proc/77/ns/uts", "pid=/proc/77/ns/pid"}) {
            assertThat(PodNamespaces.isAnyJoined(spec(joined), PAUSE))
                    .describedAs(joined)
                    .isTrue();
        }
        assertThat(PodNamespaces.isAnyJoined(spec("network=/proc/77"), PAUSE)).isFalse();
        assertThat(PodNamespaces.isAnyJoined(spec("cgroup=/proc/77/ns/cgroup"), PAUSE))
                .isFalse();
    }

    @Test
    void messagesAndNamesMayBeItsOwn() {
        assertThatCode(() -> PodNamespaces.check(spec(NETWORK, "ipc=", "uts="), PAUSE, false))
                .doesNotThrowAnyException();
        JsonObject shared = spec(NETWORK, "ipc=/proc/77/ns/ipc", "uts=/proc/77/ns/uts", "pid=/proc/77/ns/pid");
        assertThatCode(() -> PodNamespaces.check(shared, PAUSE, false)).doesNotThrowAnyException();
        assertThat(PodNamespaces.hasOwn(shared, "ipc")).isFalse();
        assertThat(PodNamespaces.hasOwn(spec(NETWORK, "ipc="), "ipc")).isTrue();
        assertThat(PodNamespaces.hasOwn(spec(NETWORK), "ipc")).isFalse();
    }

    @Test
    void theNetworkIsThePodsOrNone() {
        for (String network : new String[] {"network=", "network=/run/netns/x", "network=/proc/78/ns/net"}) {
            assertThatThrownBy(() -> PodNamespaces.check(spec(network, "ipc=/proc/77/ns/ipc", "uts="), PAUSE, true))
                    .describedAs(network)
                    .isInstanceOf(DkvmException.class)
                    .hasMessageContaining("does not have the pod's network");
        }
        JsonObject hosts = spec("ipc=/proc/77/ns/ipc", "uts=/proc/77/ns/uts");
        assertThatThrownBy(() -> PodNamespaces.check(hosts, PAUSE, false)).isInstanceOf(DkvmException.class);
        assertThatCode(() -> PodNamespaces.check(hosts, PAUSE, true)).doesNotThrowAnyException();
    }

    @Test
    void theHostsNamespacesAndThoseOfOthersAreRefused() {
        for (String[] others :
                new String[][] {{"uts="}, {"ipc="}, {"ipc=/proc/78/ns/ipc", "uts="}, {"ipc=", "uts=/proc/78/ns/uts"}}) {
            JsonObject spec = spec(others);
            JsonArray all = spec.getAsJsonObject("linux").getAsJsonArray("namespaces");
            all.add(namespace(NETWORK));
            assertThatThrownBy(() -> PodNamespaces.check(spec, PAUSE, false))
                    .isInstanceOf(DkvmException.class)
                    .hasMessageContaining("neither in the host's");
        }
    }

    private static JsonObject spec(String... namespaces) {
        JsonArray all = new JsonArray();
        for (String namespace : namespaces) {
            all.add(namespace(namespace));
        }
        JsonObject linux = new JsonObject();
        linux.add("namespaces", all);
        JsonObject spec = new JsonObject();
        spec.add("linux", linux);
        return spec;
    }

    private static JsonObject namespace(String text) {
        int equals = text.indexOf('=');
        JsonObject namespace = Json.objectOf("type", text.substring(0, equals));
        if (equals + 1 < text.length()) {
            namespace.addProperty("path", text.substring(equals + 1));
        }
        return namespace;
    }
}
