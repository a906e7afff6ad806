// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.mounts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.bundle.host.FakeHost;
import org.dkvm.bundle.host.HostView;
import org.dkvm.bundle.plan.SandboxPlan;
import org.dkvm.bundle.plan.SandboxPlanJson;
import org.dkvm.bundle.sandbox.Rewrites;
import org.dkvm.core.DkvmException;
import org.dkvm.core.container.GuestMount;
import org.dkvm.json.Json;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where the host's sockets come among a container's mounts. */
class SocketMountsTest {
    @TempDir
    private Path bundle;

    private final JsonArray mounts = new JsonArray();
    private final FakeHost host = new FakeHost();

    @BeforeEach
    void makeAnImage() throws IOException {
        Files.createDirectories(bundle.resolve("rootfs/run"));
        Files.createDirectories(bundle.resolve("rootfs/var"));
        Files.createSymbolicLink(bundle.resolve("rootfs/var/run"), Path.of("/run"));
    }

    private void socket(String source, String destination, String options) throws DkvmException {
        host.with(source, HostView.SourceKind.SOCKET);
        mounts.add(Json.parseObject(
                "{\"destination\":\"" + destination + "\",\"type\":\"bind\",\"source\":\"" + source + "\",\"options\":["
                        + options + "]}",
                "mount"));
    }

    private MountPlan plan() throws DkvmException {
        JsonObject spec = new JsonObject();
        spec.add("mounts", mounts);
        return MountPlan.of(spec, bundle, "", List.of(), host);
    }

    private static List<String> sandbox(MountPlan plan) {
        List<String> binds = new ArrayList<>();
        plan.sandbox(Path.of("/plan"), "", Path.of("/kernel"), Path.of("/rootfs"), false)
                .forEach(
                        mount -> binds.add(mount.getAsJsonObject().get("source").getAsString() + " "
                                + mount.getAsJsonObject().get("destination").getAsString()));
        return binds;
    }

    @Test
    void aSocketIsSeenByTheSandboxAndAtItsPlace() throws DkvmException {
        socket("/run/docker.sock", "/var/run/docker.sock", "\"rbind\",\"ro\"");
        socket("/srv/s", "/s", "\"rbind\"");
        MountPlan plan = plan();
        assertThat(plan.guest())
                .containsExactly(
                        new GuestMount(GuestMount.Kind.SOCKET, "/var/run/docker.sock", "0", "", 1, ""),
                        new GuestMount(GuestMount.Kind.SOCKET, "/s", "1", "", 0, ""));
        assertThat(sandbox(plan))
                .contains("/run/docker.sock /run/dkvm/sockets/0", "/srv/s /run/dkvm/sockets/1")
                .noneMatch(bind -> bind.startsWith("/srv/s /share"));
        assertThat(plan.missing())
                .contains(new MountPlan.MountPoint("/run/docker.sock", false), new MountPlan.MountPoint("/s", false));
    }

    @Test
    void whereAFilesystemOfTheGuestIsTheImageLacksNoMountPoint() throws DkvmException {
        mounts.add(Json.parseObject(
                "{\"destination\":\"/run\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[]}", "mount"));
        socket("/srv/s", "/run/s", "\"rbind\"");
        socket("/dev/log", "/dev/log", "\"rbind\"");
        assertThat(plan().missing())
                .noneMatch(point -> point.path().endsWith("/s") || point.path().endsWith("/log"));
    }

    @Test
    void thereIsABound() throws DkvmException {
        for (int i = 0; i < SocketMounts.MOST; i++) {
            socket("/srv/s" + i, "/s" + i, "\"rbind\"");
        }
        assertThat(plan().guest()).hasSize(SocketMounts.MOST);
        socket("/srv/more", "/more", "\"rbind\"");
        assertThatThrownBy(this::plan).hasMessageContaining("\"/srv/more\": a VM takes 64 sockets at most");
    }

    @Test
    void socketsOfAPlanSurviveItsTextForm() throws DkvmException {
        JsonObject spec = Json.readObject(Path.of("runtime/src/test/resources/specs/docker-28.5/plain.json"));
        host.with("/srv/s", HostView.SourceKind.SOCKET);
        spec.getAsJsonArray("mounts")
                .add(Json.parseObject(
                        "{\"destination\":\"/s\",\"type\":\"bind\",\"source\":\"/srv/s\",\"options\":[]}", "mount"));
        SandboxPlan plan = Rewrites.rewrite(spec, org.dkvm.core.machine.Accelerator.TCG, host)
                .plan();
        assertThat(plan.container().root().mounts())
                .contains(new GuestMount(GuestMount.Kind.SOCKET, "/s", "0", "", 0, ""));
        assertThat(SandboxPlanJson.fromJson(Json.parseObject(Json.write(SandboxPlanJson.toJson(plan)), "plan")))
                .isEqualTo(plan);
    }
}
