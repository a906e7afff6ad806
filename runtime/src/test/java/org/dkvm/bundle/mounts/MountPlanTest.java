// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.mounts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.dkvm.bundle.host.FakeHost;
import org.dkvm.core.DkvmException;
import org.dkvm.core.container.GuestMount;
import org.dkvm.json.Json;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an image's root lacks for a container's mounts, which the host makes where the root is read-only. */
class MountPlanTest {
    @TempDir
    private Path bundle;

    private final JsonArray mounts = new JsonArray();
    private boolean readOnly;

    @BeforeEach
    void makeAnImage() throws IOException {
        for (String directory : List.of("proc", "sys", "dev", "there", "run")) {
            Files.createDirectories(bundle.resolve("rootfs").resolve(directory));
        }
        Files.createSymbolicLink(bundle.resolve("rootfs/link"), Path.of("../../there"));
        Files.createSymbolicLink(bundle.resolve("rootfs/package"), Path.of("/opt/dkvm"));
    }

    private void mount(String type, String source, String destination) throws DkvmException {
        mounts.add(Json.parseObject(
                "{\"destination\":\"" + destination + "\",\"type\":\"" + type + "\",\"source\":\"" + source
                        + "\",\"options\":[\"rbind\"]}",
                "mount"));
    }

    private void tmpfs(String destination) throws DkvmException {
        mounts.add(Json.parseObject(
                "{\"destination\":\"" + destination + "\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[]}",
                "mount"));
    }

    private MountPlan plan() throws DkvmException {
        JsonObject spec = new JsonObject();
        spec.add("mounts", mounts);
        JsonObject root = new JsonObject();
        root.addProperty("readonly", readOnly);
        spec.add("root", root);
        return MountPlan.of(spec, bundle, "", List.of(), new FakeHost());
    }

    @Test
    void aTmpfsThatNothingIsThereForHasItsOwnModeInAReadOnlyRoot() throws DkvmException {
        tmpfs("/run");
        tmpfs("/t");
        tmpfs("/t/in");
        mounts.add(Json.parseObject(
                "{\"destination\":\"/m\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"mode=700\"]}",
                "mount"));
        assertThat(plan().guest()).extracting(GuestMount::data).containsExactly("", "", "", "mode=700");
        readOnly = true;
        assertThat(plan().guest())
                .extracting(GuestMount::data)
                .containsExactly("", "mode=1777", "", "mode=1777,mode=700");
    }

    private static MountPlan.MountPoint directory(String path) {
        return new MountPlan.MountPoint(path, true);
    }

    @Test
    void whatIsThereIsNotLacking() throws DkvmException {
        mount("bind", "/srv/v", "/there");
        mount("bind", "/srv/v", "/link");
        tmpfs("/run");
        assertThat(plan().missing()).isEmpty();
    }

    @Test
    void whatIsMissingIsMadeWhereTheImagesLinksLeadInIt() throws DkvmException {
        mount("bind", "/srv/v", "/link/a");
        mount("bind", "/srv/v", "/package/lib");
        mount("bind", "/srv/file", "/new/file");
        tmpfs("/tmp");
        assertThat(plan().missing())
                .containsExactly(
                        directory("/there/a"),
                        directory("/opt/dkvm/lib"),
                        new MountPlan.MountPoint("/new/file", false),
                        directory("/tmp"));
    }

    @Test
    void whatAnotherMountHasIsNotTheRootsToHave() throws DkvmException {
        tmpfs("/run");
        mount("bind", "/srv/v", "/run/v");
        mount("bind", "/srv/v", "/there");
        mount("bind", "/srv/w", "/there/w");
        mount("bind", "/srv/w", "/dev/w");
        assertThat(plan().missing()).isEmpty();
    }

    @Test
    void theWorkingDirectoryIsMadeToo() throws DkvmException {
        MountPlan plan = plan();
        plan.addWorkingDirectory("/package/work");
        plan.addWorkingDirectory("/there");
        assertThat(plan.missing()).containsExactly(directory("/opt/dkvm/work"));
    }

    @Test
    void aPathThatNeverEndsIsRefused() throws Exception {
        Files.createSymbolicLink(bundle.resolve("rootfs/loop"), Path.of("loop"));
        mount("bind", "/srv/v", "/loop/x");
        assertThatThrownBy(this::plan)
                .hasMessageContaining("mount point \"/loop/x\": too many levels of symbolic links");
    }

    @Test
    void filesWithoutASizeAreRefused() throws Exception {
        mount("bind", "/proc", "/host/proc");
        assertThatThrownBy(this::plan)
                .isInstanceOf(DkvmException.class)
                .hasMessageContaining("mounting \"/proc\" into a VM is not supported")
                .hasMessageContaining("\"proc\" have no size");
    }

    @Test
    void whatTheContainerMayWriteToIsKnown() throws Exception {
        Files.createDirectories(bundle.resolve("data"));
        Files.createSymbolicLink(bundle.resolve("named"), Path.of("data"));
        mount("bind", "named", "/data");
        mount("bind", "/srv", "/disks/x");
        mount("bind", "/engine/hosts", "/etc/hosts");
        mounts.add(Json.parseObject(
                "{\"destination\":\"/ro\",\"type\":\"bind\",\"source\":\"/srv\",\"options\":[\"rbind\",\"ro\"]}",
                "mount"));
        tmpfs("/t");
        JsonObject spec = new JsonObject();
        spec.add("mounts", mounts);
        assertThat(WritablePlaces.of(spec, bundle, new FakeHost()))
                .containsExactly(bundle.resolve("data").toRealPath().toString());
    }
}
