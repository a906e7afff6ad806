// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import org.dkvm.core.Accelerator;
import org.junit.jupiter.api.Test;

class PodTest {
    private static final String CONTAINER =
            "\"io.kubernetes.cri.container-type\":\"container\"," + "\"io.kubernetes.cri.sandbox-id\":\"p1\"";

    @Test
    void containerdAndCrioTellWhatAContainerIsInItsPod() {
        assertThat(Pod.of(spec("/proc/77/ns/net", CONTAINER))).isEqualTo(new Pod(Pod.Role.CONTAINER, "p1"));
        assertThat(Pod.of(spec(
                        "",
                        "\"io.kubernetes.cri.container-type\":\"sandbox\",\"io.kubernetes.cri.sandbox-id\":\"p2\"")))
                .isEqualTo(new Pod(Pod.Role.SANDBOX, "p2"));
        assertThat(Pod.of(spec(
                        "",
                        "\"io.kubernetes.cri-o.ContainerType\":\"sandbox\",\"io.kubernetes.cri-o.SandboxID\":\"p3\"")))
                .isEqualTo(new Pod(Pod.Role.SANDBOX, "p3"));
        assertThat(Pod.of(spec("", "\"other\":\"sandbox\"")).role()).isEqualTo(Pod.Role.NONE);
        assertThat(Pod.of(new JsonObject()).role()).isEqualTo(Pod.Role.NONE);
    }

    @Test
    void aPodsVmTakesTheNetworkOverThatOnlyThePodsOwnProcessHolds() throws Exception {
        SandboxPlan plan =
                rewrite(spec("/proc/77/ns/net", CONTAINER), "/proc/77/ns/net").plan();
        assertThat(plan.network()).isEqualTo(NetworkMode.OWN);
        assertThat(plan.hostname()).isEqualTo("the-pod");
    }

    @Test
    void aNetworkWithOthersInItIsLeftAlone() throws Exception {
        assertThat(rewrite(spec("/proc/78/ns/net", CONTAINER), "/proc/78/ns/net")
                        .plan()
                        .network())
                .isEqualTo(NetworkMode.SHARED);
        // A container in another container's network, without a pod.
        JsonObject joined = spec("/proc/77/ns/net", "\"other\":\"x\"");
        Pod.detach(joined.getAsJsonObject("linux"));
        assertThat(rewrite(joined, "").plan().network()).isEqualTo(NetworkMode.SHARED);
    }

    @Test
    void theSandboxOfAPodsVmHasItsOwnNamespacesForMessagesAndNames() throws Exception {
        JsonArray namespaces = rewrite(spec("/proc/77/ns/net", CONTAINER), "/proc/77/ns/net")
                .spec()
                .getAsJsonObject("linux")
                .getAsJsonArray("namespaces");
        assertThat(namespaces.toString())
                .contains("{\"type\":\"ipc\"}", "{\"type\":\"uts\"}", "\"path\":\"/proc/77/ns/net\"");
    }

    @Test
    void aContainerWithoutANameHasTheHosts() throws Exception {
        JsonObject plain = spec("", "\"other\":\"x\"");
        Pod.detach(plain.getAsJsonObject("linux"));
        assertThat(rewrite(plain, "").plan().hostname()).isEqualTo("the-host");
    }

    private static SandboxSpec rewrite(JsonObject spec, String inhabited) throws Exception {
        return Rewrites.rewrite(spec, Accelerator.TCG, new FakeHost().withProcessesIn(inhabited));
    }

    private static JsonObject spec(String network, String annotations) {
        String path = network.isEmpty() ? "" : ",\"path\":\"" + network + "\"";
        return JsonParser.parseString("""
                {"process": {"args": ["/bin/true"], "cwd": "/"}, "root": {"path": "rootfs"},
                 "mounts": [{"destination": "/etc/hostname", "type": "bind", "source": "/pod/hostname", "options": ["rbind"]}],
                 "annotations": {%s},
                 "linux": {"namespaces": [{"type": "mount"}, {"type": "pid"}, {"type": "network"%s},
                                          {"type": "ipc", "path": "/proc/77/ns/ipc"}, {"type": "uts", "path": "/proc/77/ns/uts"}]}}
                """.formatted(annotations, path)).getAsJsonObject();
    }
}
