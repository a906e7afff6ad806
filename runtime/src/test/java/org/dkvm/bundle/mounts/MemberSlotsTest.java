// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.mounts;

import static org.assertj.core.api.Assertions.assertThat;

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
import org.dkvm.linux.MountTable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which of a container's mounts are one filesystem in the guest. */
class MemberSlotsTest {
    private static final String DISK = "8:1";

    @TempDir
    private Path directory;

    private final FakeHost host = new FakeHost();
    private final JsonArray mounts = new JsonArray();
    private Path emptyDir = Path.of("/");
    private Path claim = Path.of("/");

    @BeforeEach
    void makeAPod() throws IOException {
        Files.createDirectories(directory.resolve("rootfs"));
        Files.createDirectories(directory.resolve("pod/memory"));
        Files.createDirectories(directory.resolve("pod/share/volumes"));
        mounted("/", Path.of("/"));
        emptyDir = directory("volumes/kubernetes.io~empty-dir/scratch");
        claim = directory("claim");
    }

    private Path directory(String name) throws IOException {
        return Files.createDirectories(directory.resolve("kubelet/pods/uid-1").resolve(name));
    }

    private void mounted(String root, Path point) {
        host.withMount(
                new MountTable.Mount(DISK, root, point.toString(), List.of("rw"), "ext4", "/dev/sda1", List.of("rw")));
    }

    /** A directory of a volume as a kubelet mounts it for one container. */
    private Path part(Path volume, String path, String container) throws IOException {
        Path part = directory("volume-subpaths/" + (volume.equals(claim) ? "pv" : "scratch") + "/" + container + "/0");
        mounted(volume.resolve(path).toString(), part);
        return part;
    }

    private void mount(Path source, String destination, String... options) throws DkvmException {
        JsonObject mount = Json.parseObject("{\"type\":\"bind\"}", "mount");
        mount.addProperty("source", source.toString());
        mount.addProperty("destination", destination);
        mount.add("options", Json.arrayOf(List.of(options)));
        mounts.add(mount);
    }

    private MemberSlots slots() throws DkvmException {
        JsonObject spec = new JsonObject();
        spec.add("mounts", mounts);
        spec.add("root", Json.objectOf("path", directory.resolve("rootfs").toString()));
        return MemberSlots.of(
                MountPlan.of(spec, directory, "", List.of(), host),
                directory.resolve("rootfs"),
                directory,
                2,
                new PodVolumes("uid-1", directory.resolve("pod"), host));
    }

    /** A neighbour has them: a link to what is mounted is as good as a mount here. */
    private void neighbour(MemberSlots slots) throws IOException {
        for (MemberSlots.Slot slot : slots.all()) {
            if (slot.name().startsWith("volumes/")) {
                Path point = directory.resolve("pod/share").resolve(slot.name());
                Files.createSymbolicLink(point, Path.of(slot.source()));
                mounted(slot.source(), point);
            }
        }
        while (!mounts.isEmpty()) {
            mounts.remove(0);
        }
    }

    private static String number(Path file) throws IOException {
        return String.valueOf(Files.getAttribute(file, "unix:ino"));
    }

    @Test
    void aReadOnlyMountIsOfTheFilesystemThatTheContainerMayWriteToAnyway() throws Exception {
        mount(claim, "/r", "rbind", "ro");
        mount(claim, "/w", "rbind", "rw");
        mount(emptyDir, "/e", "rbind", "ro");
        MemberSlots slots = slots();
        assertThat(slots.all()).hasSize(3).noneMatch(slot -> (slot.flags() & MountOptions.RDONLY) != 0);
        assertThat(slots.guest().get(0).source()).isEqualTo(slots.guest().get(1).source());
        assertThat(slots.guest())
                .extracting(mount -> mount.flags() & MountOptions.RDONLY)
                .containsExactly(1L, 0L, 1L);
    }

    @Test
    void whatNobodyMayWriteToIsReadOnlyOnTheHostUntilANeighbourMay() throws Exception {
        mount(claim, "/r", "rbind", "ro");
        MemberSlots alone = slots();
        assertThat(alone.all().get(1).flags()).isEqualTo(MountOptions.RDONLY);
        neighbour(alone);
        mount(claim, "/w", "rbind", "rw");
        MemberSlots writer = slots();
        assertThat(writer.all().get(1).flags()).isZero();
        neighbour(writer);
        mount(claim, "/r", "rbind", "ro");
        MemberSlots reader = slots();
        assertThat(reader.guest().get(0).source())
                .isEqualTo(writer.guest().get(0).source());
        assertThat(reader.all()).hasSize(1);
    }

    @Test
    void aPartOfAnEmptyDirIsLookedForInItsFilesystem() throws Exception {
        Path part = part(emptyDir, "a/b", "web");
        mount(part, "/p", "rbind", "ro");
        MemberSlots slots = slots();
        GuestMount mount = slots.guest().get(0);
        assertThat(mount.data()).isEqualTo(number(part) + " a/b");
        assertThat(slots.all())
                .extracting(slot -> "pod/" + slot.name())
                .containsExactly("pod/2/root", mount.source(), mount.filesystem());
        assertThat(slots.all().get(1).flags()).isEqualTo(MountOptions.RDONLY);
        assertThat(slots.all().get(2).source()).isEqualTo(emptyDir.toString());
    }

    /** All of a claim is not for a container that has a part of it. */
    @Test
    void aPartOfAnotherVolumeIsLookedForWhereTheVmHasAllOfIt() throws Exception {
        Path part = part(claim, "a", "web");
        mount(part, "/p", "rbind");
        assertThat(slots().guest().get(0).filesystem()).isEmpty();
        mount(claim, "/w", "rbind");
        MemberSlots whole = slots();
        assertThat(whole.guest().get(0).filesystem())
                .isEqualTo(whole.guest().get(1).source());
        assertThat(whole.guest().get(0).data()).isEqualTo(number(part) + " a");
        neighbour(whole);
        mount(part(claim, "a", "side"), "/p", "rbind");
        mount(part(claim, "b", "more"), "/q", "rbind", "ro");
        MemberSlots parts = slots();
        assertThat(parts.guest())
                .extracting(GuestMount::filesystem)
                .containsOnly(whole.guest().get(1).source());
        assertThat(parts.all()).hasSize(3);
    }

    @Test
    void aPartThatIsGoneFromItsVolumeOrLiesElsewhereIsNotLookedFor() throws Exception {
        Path gone = directory("volume-subpaths/scratch/web/0");
        mounted(emptyDir + "/a//deleted", gone);
        mount(gone, "/p", "rbind");
        mount(part(emptyDir.resolveSibling("scratch-2"), "a", "side"), "/q", "rbind");
        assertThat(slots().guest()).extracting(GuestMount::filesystem).containsOnly("");
    }

    @Test
    void containersWithTheSamePartHaveOneFilesystemOfIt() throws Exception {
        Path part = part(claim, "a", "web");
        mount(part, "/p", "rbind");
        MemberSlots web = slots();
        neighbour(web);
        // The same directory by another path: there it is a mount.
        Path other = directory.resolve("kubelet/pods/uid-1/volume-subpaths/pv/side");
        Files.createDirectories(other);
        Files.createSymbolicLink(other.resolve("0"), part);
        mount(other.resolve("0"), "/p", "rbind");
        assertThat(slots().guest().get(0).source()).isEqualTo(web.guest().get(0).source());
    }
}
