// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.DEBIAN;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Bind mounts: what is shared with the host, how it is mounted, and who sees which change. */
@EndToEnd
class BindMountsTest {
    @Test
    void aDirectoryIsSharedBothWays() throws Exception {
        assertSame(docker -> {
            Path directory = docker.directory();
            Files.writeString(directory.resolve("from-host"), "host\n");
            docker.run(
                    "-v",
                    directory + ":/v",
                    BUSYBOX,
                    "sh",
                    "-c",
                    "cat /v/from-host; echo guest >/v/from-guest; chown 12:34 /v/from-guest; chmod 640 /v/from-guest; mkdir -m 2771 /v/d");
            docker.note(
                    "file",
                    Host.stat(directory.resolve("from-guest")) + Files.readString(directory.resolve("from-guest")));
            docker.note("directory", Host.stat(directory.resolve("d")));
        });
    }

    @Test
    void aReadOnlyDirectoryRefusesWrites() throws Exception {
        assertSame(docker -> {
            Path directory = docker.directory();
            Files.writeString(directory.resolve("f"), "kept\n");
            docker.fails()
                    .run(
                            "-v",
                            directory + ":/v:ro",
                            BUSYBOX,
                            "sh",
                            "-c",
                            "cat /v/f; rm /v/f; chmod 777 /v/f; mkdir /v/d; echo x >/v/f");
            docker.note("kept", Files.readString(directory.resolve("f")));
        });
    }

    @Test
    void readOnlyByMountOption() throws Exception {
        assertSame(docker -> docker.fails()
                .run(
                        "--mount",
                        "type=bind,source=" + docker.directory() + ",target=/v,readonly",
                        BUSYBOX,
                        "touch",
                        "/v/x"));
    }

    @Test
    void aSingleFileIsShared() throws Exception {
        assertSame(docker -> {
            Path file = docker.directory().resolve("f");
            Files.writeString(file, "first\n");
            docker.run(
                    "-v",
                    file + ":/etc/one.conf",
                    BUSYBOX,
                    "sh",
                    "-c",
                    "cat /etc/one.conf; echo second >>/etc/one.conf; ls /etc/one.conf; rm /etc/one.conf; mv /etc/one.conf /x; true");
            docker.note("file", Files.readString(file));
        });
    }

    @Test
    void aSingleFileMayCoverOneOfTheImage() throws Exception {
        assertSame(docker -> {
            Path file = docker.directory().resolve("f");
            Files.writeString(file, "root:x:0:0:covered:/covered:/bin/sh\n");
            docker.fails()
                    .run(
                            "-v",
                            file + ":/etc/passwd:ro",
                            BUSYBOX,
                            "sh",
                            "-c",
                            "cat /etc/passwd; echo $HOME; id -un; echo x >/etc/passwd");
        });
    }

    @Test
    void aNestedMountLiesInItsParent() throws Exception {
        assertSame(docker -> {
            Path outer = docker.directory();
            Path inner = docker.directory();
            Files.writeString(inner.resolve("f"), "inner\n");
            docker.run(
                    "-v",
                    inner + ":/a/b/c",
                    "-v",
                    outer + ":/a",
                    BUSYBOX,
                    "sh",
                    "-c",
                    "cat /a/b/c/f; echo o >/a/o; echo i >/a/b/c/i; find /a | sort");
            docker.note("outer", names(outer));
            docker.note("inner", names(inner));
        });
    }

    @Test
    void aWritableMountInAReadOnlyOne() throws Exception {
        assertSame(docker -> {
            Path outer = docker.directory();
            Files.createDirectory(outer.resolve("rw"));
            docker.run(
                    "-v",
                    outer + ":/a:ro",
                    "-v",
                    docker.directory() + ":/a/rw",
                    BUSYBOX,
                    "sh",
                    "-c",
                    "echo x >/a/rw/f; cat /a/rw/f; touch /a/g; true");
        });
    }

    @Test
    void aReadOnlyMountInAWritableOne() throws Exception {
        assertSame(docker -> docker.run(
                "-v",
                docker.directory() + ":/a",
                "-v",
                docker.directory() + ":/a/ro:ro",
                BUSYBOX,
                "sh",
                "-c",
                "touch /a/f /a/ro/f; ls -R /a"));
    }

    @Test
    void oneDirectoryInTwoPlaces() throws Exception {
        assertSame(docker -> {
            Path directory = docker.directory();
            docker.run(
                    "-v",
                    directory + ":/one",
                    "-v",
                    directory + ":/two:ro",
                    BUSYBOX,
                    "sh",
                    "-c",
                    // the guest knows the directory twice: docs/comparison.md
                    "echo x >/one/f; cat /two/f; echo y >>/one/f; until grep -q y /two/f; do sleep 0.1; done; cat /two/f; touch /two/g; true");
        });
    }

    @Test
    void aMissingDestinationIsMade() throws Exception {
        assertSame(docker -> docker.run(
                "-v",
                docker.directory() + ":/quite/new/place",
                BUSYBOX,
                "sh",
                "-c",
                "stat -c '%n %a %u:%g' /quite /quite/new /quite/new/place"));
    }

    @Test
    void aMissingSourceIsMadeByTheEngine() throws Exception {
        assertSame(docker -> {
            Path directory = docker.directory();
            docker.run("-v", directory.resolve("made") + ":/v", BUSYBOX, "touch", "/v/f");
            docker.note("made", names(directory.resolve("made")));
            docker.exits(125)
                    .run("--mount", "type=bind,source=" + directory.resolve("missing") + ",target=/v", BUSYBOX, "true");
        });
    }

    @Test
    void aDestinationBehindALink() throws Exception {
        assertSame(
                docker -> docker.run(
                        "-v",
                        docker.directory() + ":/var/run/deep/x",
                        "-v",
                        docker.directory() + ":/bin/extra",
                        DEBIAN,
                        "sh",
                        "-c",
                        "echo f >/run/deep/x/f; cat /var/run/deep/x/f; echo g >/usr/bin/extra/g; cat /bin/extra/g; readlink /var/run /bin"));
    }

    @Test
    void namesOfMountsMayBeOdd() throws Exception {
        assertSame(docker -> {
            Path odd = Files.createDirectory(docker.directory().resolve("a b,c=d #größe\t"));
            docker.run("-v", odd + ":/mnt/x y,z=1 #é", BUSYBOX, "sh", "-c", "echo odd >'/mnt/x y,z=1 #é/f'; ls /mnt");
            docker.note("file", Files.readString(odd.resolve("f")));
        });
    }

    @Test
    void twentyMounts() throws Exception {
        assertSame(docker -> {
            List<String> words = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                Path directory = docker.directory();
                Files.writeString(directory.resolve("f"), "mount " + i + "\n");
                words.addAll(List.of("-v", directory + ":/m/" + i));
            }
            words.addAll(List.of(BUSYBOX, "sh", "-c", "for i in $(seq 0 19); do cat /m/$i/f; done"));
            docker.run(words.toArray(String[]::new));
        });
    }

    @Test
    void changesOnTheHostAppearInTheGuest() throws Exception {
        assertSame(docker -> {
            Path directory = docker.directory();
            Files.writeString(directory.resolve("f"), "old\n");
            Container container = docker.start(
                    "-v",
                    directory + ":/v",
                    BUSYBOX,
                    "sh",
                    "-c",
                    "cat /v/f; until grep -q new /v/f; do sleep 0.1; done; until [ -e /v/made ]; do sleep 0.1; done; cat /v/f /v/made; while [ -e /v/made ]; do sleep 0.1; done; echo gone");
            container.awaitLog("old");
            Files.writeString(directory.resolve("f"), "new and longer\n");
            Files.writeString(directory.resolve("made"), "made\n");
            container.awaitLog("made");
            Files.delete(directory.resolve("made"));
            container.finish();
        });
    }

    @Test
    void changesInTheGuestAppearOnTheHost() throws Exception {
        assertSame(docker -> {
            Path directory = docker.directory();
            Container container = docker.start(
                    "-v",
                    directory + ":/v",
                    BUSYBOX,
                    "sh",
                    "-c",
                    "echo one >/v/f; until [ -e /v/seen ]; do sleep 0.1; done; echo two >>/v/f; echo done");
            Deadline.await(
                    "the file on the host",
                    () -> Files.exists(directory.resolve("f"))
                            && Files.readString(directory.resolve("f")).equals("one\n"));
            Files.writeString(directory.resolve("seen"), "");
            container.finish();
            docker.note("file", Files.readString(directory.resolve("f")));
        });
    }

    @Test
    void anotherUserMeetsTheModesOfTheVolume() throws Exception {
        assertSame(docker -> {
            Path directory = docker.directory();
            Files.writeString(directory.resolve("f"), "readable\n");
            docker.fails().run("-u", "1000:1000", "-v", directory + ":/v", BUSYBOX, "sh", "-c", "cat /v/f; touch /v/g");
            Host.run("chown", "1000:1000", directory.toString());
            docker.run(
                    "-u", "1000:1000", "-v", directory + ":/v", BUSYBOX, "sh", "-c", "touch /v/g; stat -c %u:%g /v/g");
        });
    }

    @Test
    void mountPointsAreAllThatIsSeenOfAMount() throws Exception {
        // /opt/dkvm and /.dkvm are there while the guest runs, as docs/adr/0004 says.
        assertSame(docker -> docker.run(
                "-v",
                docker.directory() + ":/mnt/v",
                BUSYBOX,
                "sh",
                "-c",
                "ls -A / /mnt | grep -v -x -e opt -e .dkvm"));
    }

    @Test
    void mountsInAReadOnlyRootKeepTheirOwnMode() throws Exception {
        assertSame(docker -> {
            Path file = docker.directory().resolve("f");
            Files.writeString(file, "of the host\n");
            Path directory = docker.directory();
            Container container = docker.create(
                    "--read-only",
                    "-w",
                    "/made/for/work",
                    "--tmpfs",
                    "/t",
                    "-v",
                    directory + ":/t/in",
                    "-v",
                    file + ":/single",
                    "-v",
                    file + ":/p/q/single:ro",
                    BUSYBOX,
                    "sh",
                    "-c",
                    "pwd; echo w >>/single; cat /single; touch /t/x /t/in/y; grep -c ' /t ' /proc/mounts;"
                            + " touch /made/for/work/x || echo refused; echo x 2>/dev/null >/p/q/single || echo refused");
            container.docker().cli("start", "-a", container.name());
            docker.note(
                    "layer",
                    docker.quietly("diff", container.name()).lines().sorted().toList());
            docker.note("in", names(directory));
        });
    }

    @Test
    void mountsAtPlacesOfTheKernelsAreWhatWasAskedFor() throws Exception {
        assertSame(docker -> {
            Path directory = docker.directory();
            Files.writeString(directory.resolve("f"), "there\n");
            docker.run(
                    "-v",
                    directory + ":/dev/shm:ro",
                    "-v",
                    directory + ":/dev/deep/below",
                    "-v",
                    directory.resolve("f") + ":/dev/deep/file",
                    "-v",
                    docker.volume() + ":/sys/fs/cgroup",
                    BUSYBOX,
                    "sh",
                    "-c",
                    "cat /dev/shm/f /dev/deep/below/f /dev/deep/file; touch /dev/shm/x 2>/dev/null || echo refused;"
                            + " ls -A /sys/fs/cgroup; touch /sys/fs/cgroup/x; ls /sys/fs/cgroup");
        });
    }

    @Test
    void aMountIsInTheTableWithTheFlagsOfTheHosts() throws Exception {
        assertSame(docker -> {
            Path directory = docker.directory();
            Host.run("mount", "-t", "tmpfs", "-o", "noexec,nosuid", "tmpfs", directory.toString());
            try {
                docker.run(
                        "-v",
                        directory + ":/n",
                        BUSYBOX,
                        "sh",
                        "-c",
                        "printf '#!/bin/sh\\n' >/n/p; chmod 755 /n/p; /n/p 2>/dev/null || echo refused;"
                                + " grep ' /n ' /proc/mounts | tr ', ' '\\n\\n' | grep -x -e noexec -e nosuid;"
                                + " grep -c -e ' /etc/hosts ' -e ' /etc/hostname ' /proc/mounts");
            } finally {
                Host.run("umount", directory.toString());
            }
        });
    }

    @Test
    void mountPointsAreMadeAsByRunc() throws Exception {
        assertSame(docker -> {
            Path outer = docker.directory();
            Path file = docker.directory().resolve("f");
            Files.writeString(file, "x\n");
            Container container = docker.create(
                    "-v",
                    outer + ":/outer",
                    "-v",
                    docker.directory() + ":/outer/made/directory",
                    "-v",
                    file + ":/outer/made/file",
                    "-v",
                    file + ":/new/deep/file",
                    BUSYBOX,
                    "sh",
                    "-c",
                    "cat /outer/made/file /new/deep/file; rm /new/deep/file 2>/dev/null || echo busy; stat -c '%n %a %u:%g' /new /new/deep");
            container.docker().cli("start", "-a", container.name());
            docker.note(
                    "layer",
                    docker.quietly("diff", container.name()).lines().sorted().toList());
            docker.note("outer", names(outer));
        });
    }

    private static String names(Path directory) throws Exception {
        return Host.run("find", directory.toString(), "-mindepth", "1", "-printf", "%P %m %U:%G\n")
                .lines()
                .sorted()
                .toList()
                .toString();
    }
}
