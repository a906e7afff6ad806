// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.mounts;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.dkvm.bundle.host.FakeHost;
import org.dkvm.core.DkvmException;
import org.dkvm.core.container.GuestMount;
import org.dkvm.json.Json;
import org.dkvm.linux.MountTable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which of a pod's volumes lie in the guest's memory. */
class MemoryVolumesTest {
    private static final String SLOT = "(slot)";

    @TempDir
    private Path directory;

    private final FakeHost host = new FakeHost();
    private final JsonArray mounts = new JsonArray();
    private Path volume = Path.of("/");

    @BeforeEach
    void makeAPod() throws IOException {
        Files.createDirectories(directory.resolve("rootfs"));
        Files.createDirectories(directory.resolve("pod/memory"));
        volume = directory("volumes/kubernetes.io~empty-dir/mem-1");
        tmpfs(volume, "/", "0:77", "rw", "size=8192k");
    }

    private Path directory(String name) throws IOException {
        Path made =
                Files.createDirectories(directory.resolve("kubelet/pods/uid-1").resolve(name));
        Files.setPosixFilePermissions(made, PosixFilePermissions.fromString("rwxrwxrwx"));
        return made;
    }

    private void tmpfs(Path point, String root, String device, String... settings) {
        host.withMount(new MountTable.Mount(
                device,
                root,
                point.toString(),
                List.of("rw", "nosuid", "relatime"),
                "tmpfs",
                "tmpfs",
                List.of(settings)));
    }

    private void mount(Path source, String destination, String... options) throws DkvmException {
        JsonObject mount = Json.parseObject("{\"type\":\"bind\"}", "mount");
        mount.addProperty("source", source.toString());
        mount.addProperty("destination", destination);
        mount.add("options", Json.arrayOf(List.of(options)));
        mounts.add(mount);
    }

    /** What a container with the mounts so far has; then they are forgotten. */
    private List<String> member(String pod) throws DkvmException {
        JsonObject spec = new JsonObject();
        spec.add("mounts", mounts.deepCopy());
        spec.add("root", Json.objectOf("path", directory.resolve("rootfs").toString()));
        while (!mounts.isEmpty()) {
            mounts.remove(0);
        }
        MemberSlots slots = MemberSlots.of(
                MountPlan.of(spec, directory, "", List.of(), host),
                directory.resolve("rootfs"),
                directory,
                2,
                new PodVolumes(pod, directory.resolve("pod"), host));
        assertThat(slots.all())
                .hasSize(1
                        + (int) slots.guest().stream()
                                .filter(mount -> mount.kind() == GuestMount.Kind.SLOT)
                                .count());
        return slots.guest().stream().map(MemoryVolumesTest::text).toList();
    }

    private static String text(GuestMount mount) {
        return mount.kind() == GuestMount.Kind.SLOT
                ? SLOT
                : mount.filesystem() + " " + mount.source() + " " + mount.flags() + " "
                        + mount.data().replaceAll("id=[0-9]+", "id");
    }

    @Test
    void aKubeletsTmpfsIsOneOfTheGuestsWithItsSizeAndItsOwner() throws Exception {
        mount(volume, "/m", "rbind", "rprivate", "rw");
        mount(volume, "/r", "rbind", "rprivate", "ro");
        long nosuid = MountOptions.NOSUID;
        long relatime = MountOptions.RELATIME;
        assertThat(member("uid-1"))
                .containsExactly(
                        "tmpfs empty-dir-mem-1 " + (nosuid | relatime) + " size=8192k,mode=777,uid,gid",
                        "tmpfs empty-dir-mem-1 " + (nosuid | relatime | MountOptions.RDONLY)
                                + " size=8192k,mode=777,uid,gid");
        // Settled: what a process of the node writes there now is for nobody.
        Files.createFile(volume.resolve("late"));
        mount(volume, "/m", "rbind");
        assertThat(member("uid-1")).doesNotContain(SLOT);
    }

    @Test
    void whatWasWrittenOnTheNodeBeforeStaysWithTheNodesTmpfs() throws Exception {
        Path early = Files.createFile(volume.resolve("early"));
        mount(volume, "/m", "rbind");
        assertThat(member("uid-1")).containsExactly(SLOT);
        Files.delete(early);
        mount(volume, "/m", "rbind");
        assertThat(member("uid-1")).containsExactly(SLOT);
    }

    @Test
    void nothingElseIsTakenForOne() throws Exception {
        Path disk = directory("volumes/kubernetes.io~empty-dir/disk");
        Path secret = directory("volumes/kubernetes.io~secret/s");
        tmpfs(secret, "/", "0:78");
        Path part = directory("volumes/kubernetes.io~empty-dir/part");
        tmpfs(part, "/below", "0:79");
        mount(disk, "/d", "rbind");
        mount(secret, "/s", "rbind");
        mount(part, "/p", "rbind");
        mount(volume.resolveSibling("mem-2"), "/missing", "rbind");
        Files.createDirectory(volume.resolveSibling("mem-2"));
        assertThat(member("uid-1")).containsOnly(SLOT);
        assertThat(directory.resolve("pod/memory")).isEmptyDirectory();
        // Of another pod, by a hostPath, or where nobody tells which pod it is.
        mount(volume, "/m", "rbind");
        assertThat(member("uid-2")).containsExactly(SLOT);
        mount(volume, "/m", "rbind");
        assertThat(member("")).containsExactly(SLOT);
    }

    @Test
    void whatTheNodeMountsInItLaterIsSeenInTheNodesTmpfsOnly() throws Exception {
        mount(volume, "/m", "rbind", "rslave");
        assertThat(member("uid-1")).containsExactly(SLOT);
    }

    @Test
    void aSubPathIsADirectoryOfTheSameTmpfs() throws Exception {
        Path part = directory("volume-subpaths/mem-1/web/0");
        tmpfs(part, "/a/b", "0:77");
        Path gone = directory("volume-subpaths/mem-1/web/1");
        tmpfs(gone, "/c//deleted", "0:77");
        // A claim's volume may have the same name.
        Path other = directory("volume-subpaths/mem-1/web/2");
        tmpfs(other, "/a", "0:80");
        mount(volume, "/m", "rbind");
        mount(part, "/p", "rbind");
        mount(gone, "/g", "rbind");
        mount(other, "/o", "rbind");
        List<String> all = member("uid-1");
        assertThat(all.get(1)).startsWith("tmpfs empty-dir-mem-1/a/b ").contains("size=8192k,mode=777,");
        assertThat(all.subList(2, 4)).containsExactly(SLOT, SLOT);
    }

    /** The kubelet has made its directory on the node before. */
    @Test
    void aVolumeThatIsFirstMountedBySubPathStaysWithTheNodesTmpfs() throws Exception {
        Path part = directory("volume-subpaths/mem-1/web/0");
        tmpfs(part, "/a", "0:77");
        mount(part, "/p", "rbind");
        mount(volume, "/m", "rbind");
        assertThat(member("uid-1")).containsExactly(SLOT, SLOT);
    }
}
