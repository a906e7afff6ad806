// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.DEBIAN;
import static org.dkvm.e2e.Images.TOOLS;

import java.nio.file.Files;
import java.nio.file.Path;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;

/** Volumes: named, anonymous, the image's own, shared and kept. */
@EndToEnd
class VolumesTest {
    @Test
    void twoContainersShareAVolumeAtTheSameTime() throws Exception {
        assertSame(docker -> {
            String volume = docker.volume();
            Container peer = docker.peer(
                    "-v",
                    volume + ":/v",
                    BUSYBOX,
                    "sh",
                    "-c",
                    "until [ -e /v/ping ]; do sleep 0.1; done; cat /v/ping; echo pong >/v/.p; mv /v/.p /v/pong; sleep 1000");
            docker.run(
                    "-v",
                    volume + ":/v",
                    BUSYBOX,
                    "sh",
                    "-c",
                    "echo ping >/v/.p; mv /v/.p /v/ping; until [ -e /v/pong ]; do sleep 0.1; done; cat /v/pong");
            docker.note("peer", peer.log());
        });
    }

    @Test
    void anImagesVolumeMayLieWhereOthersHaveControlGroups() throws Exception {
        assertSame(docker -> docker.run(
                docker.image("FROM " + BUSYBOX + "\nVOLUME /sys/fs/cgroup"),
                "sh",
                "-c",
                "ls -A /sys/fs/cgroup; echo x >/sys/fs/cgroup/f && cat /sys/fs/cgroup/f"));
    }

    @Test
    void nothingIsMountedOnTheRoot() throws Exception {
        assertSame(docker -> {
            String image = docker.image("FROM " + BUSYBOX + "\nVOLUME /");
            docker.note(
                    "refused",
                    docker.attempt("run", "--rm", "--runtime=" + docker.runtime(), image, "true")
                                    .exitCode()
                            != 0);
        });
    }

    @Test
    void writersOfOneVolumeAreNamed() throws Exception {
        onVm(docker -> {
            String volume = docker.volume();
            Container one = docker.start("-v", volume + ":/v", BUSYBOX, "sleep", "1000");
            Container two = docker.start("-v", volume + ":/w", BUSYBOX, "sleep", "1000");
            Container reader = docker.start("-v", volume + ":/r:ro", BUSYBOX, "sleep", "1000");
            String shared = "/volumes/" + volume + "/_data\" may be written to by ";
            Assertions.assertThat(Host.dkvm("ps").text().lines().filter(line -> line.contains(shared)))
                    .singleElement()
                    .asString()
                    .contains(one.name(), two.name(), "memory is not mapped shared")
                    .doesNotContain(reader.name());
        });
    }

    @Test
    void filesWithoutASizeAreNotMounted() throws Exception {
        onVm(docker -> Assertions.assertThat(
                        docker.attempt("run", "--rm", "--runtime=dkvm", "-v", "/proc:/host/proc:ro", BUSYBOX, "true")
                                .errors())
                .contains("files of a filesystem of type \"proc\" have no size"));
    }

    @Test
    void aNamedVolumeStaysAfterItsContainer() throws Exception {
        assertSame(docker -> {
            String volume = docker.volume();
            docker.run("-v", volume + ":/v", BUSYBOX, "sh", "-c", "echo kept >/v/f; chown 3:4 /v/f");
            docker.run(
                    "-v",
                    volume + ":/elsewhere:ro",
                    BUSYBOX,
                    "sh",
                    "-c",
                    "cat /elsewhere/f; stat -c %u:%g /elsewhere/f");
        });
    }

    @Test
    void anEmptyVolumeStartsAsACopyOfTheImagesDirectory() throws Exception {
        assertSame(docker -> {
            String volume = docker.volume();
            docker.run(
                    "-v",
                    volume + ":/etc/pam.d",
                    DEBIAN,
                    "sh",
                    "-c",
                    "ls /etc/pam.d | wc -l; stat -c '%n %a %u:%g' /etc/pam.d /etc/pam.d/*");
            docker.run("-v", volume + ":/v", BUSYBOX, "sh", "-c", "ls /v | wc -l");
            docker.run("-v", docker.volume() + ":/etc/pam.d:nocopy", DEBIAN, "ls", "-A", "/etc/pam.d");
        });
    }

    @Test
    void aVolumeOfTheImageIsMadeForEachContainer() throws Exception {
        assertSame(docker -> {
            String image = docker.image("FROM " + DEBIAN + "\nVOLUME [\"/etc/pam.d\", \"/fresh\"]\n");
            Container container = docker.start(
                    image, "sh", "-c", "ls /etc/pam.d | wc -l; echo x >/fresh/f; ls /fresh; stat -c '%a %u:%g' /fresh");
            container.finish();
            docker.note("mounts", container.inspect("{{len .Mounts}}"));
            docker.run(image, "ls", "-A", "/fresh");
        });
    }

    @Test
    void anAnonymousVolumeKeepsItsFilesForTheNextStart() throws Exception {
        assertSame(docker -> {
            Container container = docker.start("-v", "/v", BUSYBOX, "sh", "-c", "echo run >>/v/f; cat /v/f");
            container.awaitEnd();
            docker.cli("start", "-a", container.name());
        });
    }

    @Test
    void volumesOfAnotherContainer() throws Exception {
        assertSame(docker -> {
            Path directory = docker.directory();
            Container first = docker.create("-v", "/anonymous", "-v", directory + ":/bound", BUSYBOX, "true");
            docker.run("--volumes-from", first.name(), BUSYBOX, "sh", "-c", "echo 1 >/anonymous/f; echo 2 >/bound/f");
            docker.run(
                    "--volumes-from",
                    first.name() + ":ro",
                    BUSYBOX,
                    "sh",
                    "-c",
                    "cat /anonymous/f /bound/f; touch /bound/g; true");
        });
    }

    @Test
    void twentyMegabytesThroughAVolume() throws Exception {
        assertSame(docker -> {
            Path directory = docker.directory();
            docker.run(
                    "-v",
                    directory + ":/v",
                    TOOLS,
                    "python3",
                    "-c",
                    "import random; random.seed(3); open('/v/f', 'wb').write(random.randbytes(20_000_000))");
            docker.note(
                    "on the host",
                    Bytes.of(Files.readAllBytes(directory.resolve("f"))).sha256());
            docker.run("-v", directory + ":/v:ro", BUSYBOX, "sha256sum", "/v/f");
        });
    }

    @Test
    void disksAreTheSandboxesAlone() throws Exception {
        onVm(docker -> {
            Path directory = docker.directory();
            Files.writeString(directory.resolve("disk"), "not for the guest");
            Outcome outcome = docker.attempt(
                    "run",
                    "--rm",
                    "--runtime",
                    Settings.SUBJECT,
                    "-v",
                    directory + ":/disks",
                    BUSYBOX,
                    "sh",
                    "-c",
                    "cat /disks/disk; true");
            Assertions.assertThat(outcome.text()).doesNotContain("not for the guest");
        });
    }
}
