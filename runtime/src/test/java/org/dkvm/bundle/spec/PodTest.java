// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.List;
import org.dkvm.bundle.host.FakeHost;
import org.dkvm.bundle.host.HostView;
import org.dkvm.bundle.plan.SandboxPlan;
import org.dkvm.bundle.sandbox.Rewrites;
import org.dkvm.bundle.sandbox.SandboxSpec;
import org.dkvm.core.DkvmException;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.core.machine.NetworkMode;
import org.junit.jupiter.api.Test;

class PodTest {
    private static final HostView HOST = new FakeHost();
    private static final String CONTAINER =
            "\"io.kubernetes.cri.container-type\":\"container\"," + "\"io.kubernetes.cri.sandbox-id\":\"p1\"";

    private static final String PODMAN = "\"io.container.manager\":\"libpod\"";

    @Test
    void containerdAndCrioTellWhatAContainerIsInItsPod() throws Exception {
        assertThat(Pod.of(spec("/proc/77/ns/net", CONTAINER), HOST))
                .isEqualTo(new Pod(Pod.Role.CONTAINER, "p1", false));
        assertThat(Pod.of(
                        spec(
                                "",
                                "\"io.kubernetes.cri.container-type\":\"sandbox\",\"io.kubernetes.cri.sandbox-id\":\"p2\""),
                        HOST))
                .isEqualTo(new Pod(Pod.Role.SANDBOX, "p2", false));
        assertThat(Pod.of(
                        spec(
                                "",
                                "\"io.kubernetes.cri-o.ContainerType\":\"sandbox\",\"io.kubernetes.cri-o.SandboxID\":\"p3\""),
                        HOST))
                .isEqualTo(new Pod(Pod.Role.SANDBOX, "p3", false));
        assertThat(Pod.of(spec("", "\"other\":\"sandbox\""), HOST).role()).isEqualTo(Pod.Role.NONE);
        assertThat(Pod.of(new JsonObject(), HOST).role()).isEqualTo(Pod.Role.NONE);
    }

    @Test
    void noAnnotationOfAnImageThatPodmanRunsMakesAContainerOneWithoutAVm() {
        // The value may be the image's, too.
        String podman = "\"io.container.manager\":\"anything\",";
        for (String told : List.of(
                "\"io.kubernetes.cri.container-type\":\"sandbox\"",
                "\"io.kubernetes.cri-o.ContainerType\":\"sandbox\"")) {
            assertThatThrownBy(() -> Pod.of(spec("", podman + told), HOST))
                    .isInstanceOf(DkvmException.class)
                    .hasMessageContaining("what holds a pod's namespaces can not be a VM");
        }
    }

    @Test
    void podmansInfraContainerHoldsAPodAndAUsersMayNot() throws Exception {
        JsonObject holder = spec("", PODMAN);
        assertThat(Pod.of(holder, HOST).role()).isEqualTo(Pod.Role.NONE);
        holder.getAsJsonObject("process").add("args", JsonParser.parseString("[\"/catatonit\", \"-P\"]"));
        assertThat(Pod.of(holder, HOST)).isEqualTo(new Pod(Pod.Role.SANDBOX, "", true));
        assertThatThrownBy(() -> Pod.of(holder, new FakeHost().withUsersEngine()))
                .isInstanceOf(DkvmException.class)
                .hasMessageContaining("what holds a pod's namespaces can not be a VM");
    }

    @Test
    void anInfraImageIsKnownByThePodsControlGroup() throws Exception {
        String pod = "0123456789abcdef".repeat(4);
        for (String path : List.of(
                "/libpod_parent/" + pod + "/libpod-" + pod,
                "machine-libpod_pod_" + pod + ".slice:libpod:" + pod,
                "user.slice-libpod_pod_" + pod + ".slice:libpod:" + pod)) {
            JsonObject infra = spec("", PODMAN);
            infra.getAsJsonObject("linux").addProperty("cgroupsPath", path);
            assertThat(Pod.of(infra, HOST).role()).describedAs(path).isEqualTo(Pod.Role.SANDBOX);
            // Each other container there says of which pod it is, also where that has no infra container.
            JsonObject container = spec("", PODMAN + ",\"io.kubernetes.cri-o.SandboxID\":\"p6\"");
            container.getAsJsonObject("linux").addProperty("cgroupsPath", path);
            assertThat(Pod.of(container, HOST)).isEqualTo(new Pod(Pod.Role.CONTAINER, "p6", true));
        }
        JsonObject plain = spec("", PODMAN);
        plain.getAsJsonObject("linux").addProperty("cgroupsPath", "/libpod_parent/libpod-" + pod);
        assertThat(Pod.of(plain, HOST).role()).isEqualTo(Pod.Role.NONE);
    }

    @Test
    void anImageThatCallsItselfAPodsContainerGetsNobodysNetwork() throws Exception {
        String podman = PODMAN + ",\"io.kubernetes.cri-o.SandboxID\":\"p1\"";
        SandboxPlan plan =
                rewrite(spec("/proc/77/ns/net", podman), "/proc/77/ns/net").plan();
        assertThat(plan.vm().network()).isEqualTo(NetworkMode.OWN);
        // The namespace is that of a container like any other, which has its place to itself but for its network.
        JsonObject joined = spec("/proc/78/ns/net", podman);
        Pod.detach(joined.getAsJsonObject("linux"));
        assertThat(rewrite(joined, "").plan().vm().network()).isEqualTo(NetworkMode.SHARED);
    }

    @Test
    void podman5NamesThePodOnlyAndItIsBelievedWherePodmansHolderHasTheNetwork() throws Exception {
        String annotations = "\"io.container.manager\":\"libpod\",\"io.kubernetes.cri-o.SandboxID\":\"p4\"";
        Pod told = new Pod(Pod.Role.CONTAINER, "p4", true);
        JsonObject held = spec("/proc/77/ns/net", annotations);
        assertThat(Pod.of(held, HOST)).isEqualTo(told);
        assertThat(told.withoutVm(held, HOST)).isEqualTo(told);
        for (String others : List.of("/proc/78/ns/net", "")) {
            JsonObject spec = spec(others, annotations);
            assertThat(Pod.of(spec, HOST).withoutVm(spec, HOST).role()).isEqualTo(Pod.Role.NONE);
        }
    }

    /** CRI-O names itself as a spec's manager, as Podman does: what it says of a pod is not believed, see docs/adr/0019-pods.md. */
    @Test
    void aPodOfCrioIsRefusedNotRunWithoutAVm() throws Exception {
        String crio = "\"io.container.manager\":\"cri-o\",\"io.kubernetes.cri-o.SandboxID\":\"p5\","
                + "\"io.kubernetes.cri-o.ContainerType\":";
        assertThatThrownBy(() -> Pod.of(spec("/run/netns/p5", crio + "\"sandbox\""), HOST))
                .isInstanceOf(DkvmException.class)
                .hasMessageContaining("what holds a pod's namespaces can not be a VM");
        JsonObject container = spec("/run/netns/p5", crio + "\"container\"");
        assertThat(Pod.of(container, HOST).withoutVm(container, HOST).role()).isEqualTo(Pod.Role.NONE);
        assertThatThrownBy(() -> rewrite(container, "/run/netns/p5"))
                .isInstanceOf(DkvmException.class)
                .hasMessageContaining("a VM can not be in another container's IPC namespace");
    }

    @Test
    void aPodsVmTakesTheNetworkOverThatOnlyThePodsOwnProcessHolds() throws Exception {
        SandboxPlan plan =
                rewrite(spec("/proc/77/ns/net", CONTAINER), "/proc/77/ns/net").plan();
        assertThat(plan.vm().network()).isEqualTo(NetworkMode.OWN);
        assertThat(plan.vm().names().host()).isEqualTo("the-pod");
    }

    @Test
    void aNetworkWithOthersInItIsLeftAlone() throws Exception {
        assertThat(rewrite(spec("/proc/78/ns/net", CONTAINER), "/proc/78/ns/net")
                        .plan()
                        .vm()
                        .network())
                .isEqualTo(NetworkMode.SHARED);
        // A container in another container's network, without a pod.
        JsonObject joined = spec("/proc/77/ns/net", "\"other\":\"x\"");
        Pod.detach(joined.getAsJsonObject("linux"));
        assertThat(rewrite(joined, "").plan().vm().network()).isEqualTo(NetworkMode.SHARED);
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
        assertThat(rewrite(plain, "").plan().vm().names().host()).isEqualTo("the-host");
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
