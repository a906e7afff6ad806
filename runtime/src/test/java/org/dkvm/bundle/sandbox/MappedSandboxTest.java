// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.List;
import org.dkvm.bundle.host.FakeHost;
import org.dkvm.bundle.host.HostView;
import org.dkvm.core.DkvmException;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.core.machine.NetworkMode;
import org.dkvm.json.Json;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class MappedSandboxTest {
    private JsonObject spec;

    @BeforeEach
    void readAPlainSpec() throws DkvmException {
        spec = Json.readObject(Path.of("runtime/src/test/resources/specs/docker-28.5/plain.json"));
        spec.getAsJsonObject("linux").addProperty("cgroupsPath", "");
    }

    private SandboxSpec rewrite() throws DkvmException {
        return Rewrites.rewrite(spec, Accelerator.TCG, new FakeHost().withUsersEngine());
    }

    private void network(String path) {
        for (JsonObject namespace : Json.objects(spec.getAsJsonObject("linux"), "namespaces")) {
            if (namespace.get("type").getAsString().equals("network")) {
                namespace.addProperty("path", path);
            }
        }
    }

    private static JsonObject mount(SandboxSpec sandbox, String point) {
        for (JsonObject mount : Json.objects(sandbox.spec(), "mounts")) {
            if (mount.get("destination").getAsString().equals(point)) {
                return mount;
            }
        }
        throw new IllegalStateException(point);
    }

    @Test
    void theUsersOfItsProgramsAreInTheNamespace() throws DkvmException {
        assertThat(rewrite().spec().getAsJsonObject("process").get("args").toString())
                .contains("qemu:65281:65281:0", "network:65282:65282", "events:65283:65283")
                .doesNotContain("2130000000");
    }

    @Test
    void withoutAControlGroupThereIsNoLimitThatWouldFailTheStart() throws DkvmException {
        assertThat(rewrite()
                        .spec()
                        .getAsJsonObject("linux")
                        .getAsJsonObject("resources")
                        .keySet())
                .containsExactly("devices");
    }

    @Test
    void inAControlGroupOfTheUsersTheLimitsHold() throws DkvmException {
        spec.getAsJsonObject("linux").addProperty("cgroupsPath", "user.slice:libpod:c1");
        assertThat(rewrite()
                        .spec()
                        .getAsJsonObject("linux")
                        .getAsJsonObject("resources")
                        .keySet())
                .contains("devices", "pids");
    }

    @Test
    void rootsGroupIsThatOfTheNamespace() throws DkvmException {
        assertThat(mount(rewrite(), "/proc").get("options").toString()).contains("hidepid=2", "gid=0");
    }

    @Test
    void devicesThatAreBoundArePlanned() throws DkvmException {
        assertThat(rewrite().plan().mounts().points()).contains("/dev/null", "/dev/net/tun");
    }

    @Test
    void aNetworkThatTheEngineHasMadeIsLeftAsItIsAndNoneIsTheVms() throws DkvmException {
        assertThat(rewrite().plan().vm().network()).isEqualTo(NetworkMode.OWN);
        network("/run/user/1000/netns/netns-1");
        assertThat(rewrite().plan().vm().network()).isEqualTo(NetworkMode.SHARED);
    }

    @Test
    void inTheHostsNetworkNothingOfItIsMounted() throws DkvmException {
        assertThat(mount(rewrite(), "/sys").get("type").getAsString()).isEqualTo("sysfs");
        var namespaces = spec.getAsJsonObject("linux").getAsJsonArray("namespaces");
        for (JsonObject namespace : Json.objects(spec.getAsJsonObject("linux"), "namespaces")) {
            if (namespace.get("type").getAsString().equals("network")) {
                namespaces.remove(namespace);
            }
        }
        assertThat(mount(rewrite(), "/sys").get("type").getAsString()).isEqualTo("tmpfs");
    }

    @Test
    void aDeviceThatTheEngineMountsIsRefusedButNotAllOfThoseOfPrivileged() throws DkvmException {
        FakeHost host = new FakeHost().withUsersEngine().with("/dev/fuse", HostView.SourceKind.DEVICE);
        spec.getAsJsonArray("mounts")
                .add(Json.objectOf("destination", "/dev/fuse", "type", "bind", "source", "/dev/fuse"));
        assertThatThrownBy(() -> Rewrites.rewrite(spec, Accelerator.TCG, host))
                .isInstanceOfSatisfying(
                        DkvmException.class, e -> assertThat(e.advice()).contains("as root"));
        spec.getAsJsonObject("linux").remove("seccomp");
        spec.getAsJsonObject("process")
                .getAsJsonObject("capabilities")
                .add("bounding", Json.arrayOf(List.of("CAP_SYS_ADMIN", "CAP_SYS_MODULE", "CAP_SYS_RAWIO")));
        assertThat(Rewrites.rewrite(spec, Accelerator.TCG, host)
                        .spec()
                        .get("mounts")
                        .toString())
                .doesNotContain("/dev/fuse");
    }
}
