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
import org.dkvm.bundle.options.DisksOption;
import org.dkvm.bundle.options.Options;
import org.dkvm.bundle.plan.SandboxPlan;
import org.dkvm.bundle.plan.SandboxPlanJson;
import org.dkvm.bundle.sandbox.Rewrites;
import org.dkvm.core.DkvmException;
import org.dkvm.core.container.GuestMount;
import org.dkvm.core.machine.Disk;
import org.dkvm.core.machine.SandboxFile;
import org.dkvm.json.Json;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where disks come among a container's mounts. */
class DiskMountsTest {
    @TempDir
    private Path bundle;

    private final JsonArray mounts = new JsonArray();

    @BeforeEach
    void makeAnImage() throws IOException {
        Files.createDirectories(bundle.resolve("rootfs/home/user"));
        Files.createDirectories(bundle.resolve("rootfs/etc"));
        Files.writeString(bundle.resolve("rootfs/etc/passwd"), "root");
        Files.createSymbolicLink(bundle.resolve("rootfs/link"), Path.of("/home"));
        Files.createSymbolicLink(bundle.resolve("rootfs/kernel"), Path.of("sys/kernel"));
    }

    private void bind(String source, String destination) throws DkvmException {
        mounts.add(Json.parseObject(
                "{\"destination\":\"" + destination + "\",\"type\":\"bind\",\"source\":\"" + source
                        + "\",\"options\":[\"rbind\",\"ro\"]}",
                "mount"));
    }

    private void tmpfs(String destination) throws DkvmException {
        mounts.add(Json.parseObject(
                "{\"destination\":\"" + destination + "\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[]}",
                "mount"));
    }

    private MountPlan plan(String disks) throws DkvmException {
        JsonObject spec = new JsonObject();
        spec.add("mounts", mounts);
        return MountPlan.of(spec, bundle, "", DisksOption.parse(disks), new FakeHost());
    }

    private List<String> guest(String disks) throws DkvmException {
        List<String> guest = new ArrayList<>();
        for (GuestMount mount : plan(disks).guest()) {
            guest.add(mount.kind() + " " + mount.target());
        }
        return guest;
    }

    @Test
    void aDiskIsMountedByItsSerialNumber() throws DkvmException {
        assertThat(plan("/d,/home,ext4,1G;/e,/new,xfs,1G").guest())
                .containsExactly(
                        new GuestMount(GuestMount.Kind.DISK, "/home", Disk.serial(0), "ext4", 0, "discard"),
                        new GuestMount(GuestMount.Kind.DISK, "/new", Disk.serial(1), "xfs", 0, "discard"));
    }

    @Test
    void linksOfTheImageAreFollowed() throws DkvmException {
        assertThat(guest("/d,/link/user,ext4,1G")).containsExactly("DISK /link/user");
    }

    @Test
    void volumesInADiskStaySeen() throws DkvmException {
        bind("/volumes/a", "/home/a");
        bind("/volumes/file", "/home/file");
        bind("/volumes/b", "/elsewhere");
        tmpfs("/home/t");
        assertThat(guest("/d,/home,ext4,1G"))
                .containsExactly(
                        "DISK /home", "SLOT /home/a", "SLOT /home/file", "SLOT /elsewhere", "FILESYSTEM /home/t");
    }

    @Test
    void aDiskCanLieInAnotherAndInAVolume() throws DkvmException {
        bind("/volumes/v", "/v");
        assertThat(guest("/a,/home/user,ext4,1G;/b,/home,ext4,1G;/c,/v/deep,ext4,1G"))
                .containsExactly("SLOT /v", "DISK /home", "DISK /home/user", "DISK /v/deep");
    }

    @Test
    void whatIsInADiskIsNotLookedFor() throws DkvmException {
        assertThat(plan("/d,/home,ext4,1G").tree().find("/home/user/program").kind())
                .isEqualTo(org.dkvm.linux.RootedTree.Kind.HIDDEN);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/etc/passwd", "/etc/passwd/x", "/kernel", "/home/a", "/home/t"})
    void whereNoDiskCanBeIsRefused(String target) throws DkvmException {
        bind("/volumes/a", "/home/a");
        tmpfs("/home/t");
        assertThatThrownBy(() -> plan("/d," + target + ",ext4,1G"))
                .hasMessageContaining("disk \"/d\" can not be mounted on \"" + target + "\"");
    }

    @Test
    void aFileBelowDisksNeedsAVolumeThere() throws DkvmException {
        assertThatThrownBy(() -> plan("/disks/d,/home,ext4,1G")).hasMessageContaining("\"/disks/d\" lies in no volume");
        bind("/volumes/a", "/disks/a");
        assertThatThrownBy(() -> plan("/disks/d,/home,ext4,1G")).hasMessageContaining("\"/disks/d\" lies in no volume");
        assertThatThrownBy(() -> plan("/disks/a,/home,ext4,1G")).hasMessageContaining("\"/disks/a\" lies in no volume");
        assertThat(guest("/disks/a/d,/home,ext4,1G")).containsExactly("DISK /home");
    }

    @Test
    void theSandboxFindsTheFilesInSlots() throws DkvmException {
        bind("/volumes/a", "/disks");
        bind("/volumes/b", "/disks/sub");
        bind("/volumes/file", "/disks/single");
        bind("/volumes/c", "/c");
        bind("/volumes/file", "/one");
        MountPlan plan = plan(
                "/disks/single,/0,ext4,1G;/disks/x/d,/1,ext4,1G;/disks/sub/d,/2,ext4,1G;/c/d,/3,ext4,1G;/one,/4,ext4,1G;"
                        + "/link/d,/5,ext4,1G");
        assertThat(plan.files())
                .containsEntry("/disks/single", new SandboxFile("/disks", "/f3"))
                .containsEntry("/disks/x/d", new SandboxFile("/disks/1", "/x/d"))
                .containsEntry("/disks/sub/d", new SandboxFile("/disks/2", "/d"))
                .containsEntry("/c/d", new SandboxFile("/share/1", "/d"))
                .containsEntry("/one", new SandboxFile("/share", "/f2"))
                .containsEntry("/link/d", new SandboxFile("/share/root", "/home/d"));
    }

    @Test
    void aFileThatOnlyTheVmWouldHaveIsRefused() throws DkvmException {
        tmpfs("/t");
        assertThatThrownBy(() -> plan("/t/d,/home,ext4,1G"))
                .hasMessageContaining("lies in a filesystem whose content only the VM has");
    }

    @Test
    void theMountPointThatAReadOnlyImageLacksIsMade() throws DkvmException {
        assertThat(plan("/d,/home,ext4,1G;/e,/new,ext4,1G").missing())
                .contains(new MountPlan.MountPoint("/new", true))
                .noneMatch(point -> point.path().equals("/home"));
    }

    @Test
    void disksOfAPlanSurviveItsTextForm() throws DkvmException {
        JsonObject spec = Json.readObject(Path.of("runtime/src/test/resources/specs/docker-28.5/plain.json"));
        spec.getAsJsonObject("process").getAsJsonArray("env").add("DKVM_DISKS=/d,/x,ext4,1G;/e,/y,xfs,2G");
        SandboxPlan plan = Rewrites.rewrite(spec).plan();
        assertThat(plan.vm().disks()).hasSize(2);
        assertThat(plan.container().process().command().env()).noneMatch(Options::isOption);
        assertThat(SandboxPlanJson.fromJson(Json.parseObject(Json.write(SandboxPlanJson.toJson(plan)), "plan")))
                .isEqualTo(plan);
    }
}
