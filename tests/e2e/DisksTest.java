// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.DEBIAN;
import static org.dkvm.e2e.Images.TOOLS;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** DKVM_DISKS: virtual disks in files of the container or of a volume. */
@EndToEnd
class DisksTest {
    private static final long MIB = 1024 * 1024;
    private static final int NOT_STARTED = 125;

    /** What a disk's file takes of the host's disk, in bytes. */
    private static long allocated(Path file) throws Exception {
        return Long.parseLong(Running.complete(List.of("stat", "-c", "%b", file.toString()), Bytes.of(""))
                        .text())
                * 512;
    }

    private static String disks(String value) {
        return "--env=DKVM_DISKS=" + value;
    }

    /** {@code docker run} of a shell script, which must end with 0; returns its standard output. */
    private static String sh(Docker docker, String script, String image, String... options) throws Exception {
        Outcome outcome = attempt(docker, script, image, options);
        assertThat(outcome.exitCode()).as(outcome.toString()).isZero();
        return outcome.text();
    }

    private static Outcome attempt(Docker docker, String script, String image, String... options) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("run", "--rm", "--runtime", Settings.SUBJECT));
        arguments.addAll(List.of(options));
        arguments.addAll(List.of(image, "sh", "-c", script));
        return docker.attempt(arguments.toArray(String[]::new));
    }

    @ParameterizedTest
    @CsvSource({"ext4,64M,160M", "ext3,64M,160M", "ext2,64M,160M", "xfs,300M,600M", "btrfs,128M,300M"})
    void aDiskIsMadeKeepsItsFilesGrowsAndGivesBack(String filesystem, String size, String larger) throws Exception {
        onVm(docker -> {
            Path directory = docker.directory();
            Path file = directory.resolve("disk");
            String volume = directory + ":/disks";
            String first = sh(
                    docker,
                    "grep ' /data ' /proc/mounts | cut -d ' ' -f 3; df -m /data | tail -n 1 | awk '{ print $2 }';"
                            + " head -c 30000000 /dev/urandom >/data/big; sha256sum </data/big >/data/sum; [ ! -e /disks ]",
                    DEBIAN,
                    "-v",
                    volume,
                    disks("/disks/disk,/data," + filesystem + "," + size));
            assertThat(first.lines().findFirst()).hasValue(filesystem);
            assertThat(allocated(file)).isBetween(29 * MIB, 128 * MIB);

            String second = sh(
                    docker,
                    "sha256sum </data/big | cmp - /data/sum && echo kept; df -m /data | tail -n 1 | awk '{ print $2 }';"
                            + " rm /data/big; sync; fstrim /data",
                    DEBIAN,
                    "-v",
                    volume,
                    disks("/disks/disk,/data," + filesystem + "," + larger));
            List<String> lines = second.lines().toList();
            assertThat(lines.getFirst()).isEqualTo("kept");
            long before = Long.parseLong(first.lines().toList().get(1));
            assertThat(Long.parseLong(lines.get(1))).isGreaterThan(before * 3 / 2);
            // A journal of XFS takes 64 MiB and stays.
            assertThat(allocated(file)).isLessThan(filesystem.equals("xfs") ? 80 * MIB : 20 * MIB);
        });
    }

    @Test
    void theImagesFilesAreThereWithAllThatTheyHave() throws Exception {
        onVm(docker -> {
            String image = docker.image("FROM " + TOOLS
                    + "\nRUN mkdir -p /seed/sub && cp /bin/true /seed/sub/p && setcap cap_net_raw+ep /seed/sub/p"
                    + " && ln -s sub/p /seed/link && chown 7:8 /seed && chmod 1751 /seed && chmod 4711 /bin/false"
                    + " && cp -p /bin/false /seed/setuid && touch -d 2001-02-03 /seed/sub && mkfifo /seed/pipe"
                    + " && setfacl -m u:9:r /seed/sub\n");
            String look = "cd /seed; find . | sort | xargs stat -c '%n %F %a %u:%g %s %t' | grep -v 'directory';"
                    + " stat -c '%a %u:%g' .; stat -c %y sub; getcap -r sub; getfacl -c sub; readlink link";
            String plain = sh(docker, look, image);
            assertThat(sh(docker, look, image, disks("/disk,/seed,ext4,64M")))
                    .isEqualTo(plain)
                    .contains("cap_net_raw");
            assertThat(sh(docker, look, image, disks("/disk,/seed,xfs,300M"))).isEqualTo(plain);
        });
    }

    @Test
    void aNewDiskHasNoLostAndFound() throws Exception {
        onVm(docker -> assertThat(sh(docker, "ls -A /new", BUSYBOX, disks("/disk,/new,ext4,16M")))
                .isEmpty());
    }

    @Test
    void theImagesFilesComeOnceAlone() throws Exception {
        onVm(docker -> {
            String volume = docker.volume() + ":/disks";
            String option = disks("/disks/d,/etc/pam.d,ext4,32M");
            sh(docker, "rm /etc/pam.d/*", DEBIAN, "-v", volume, option);
            assertThat(sh(docker, "ls -A /etc/pam.d", DEBIAN, "-v", volume, option))
                    .isEmpty();
        });
    }

    @Test
    void aContainersOwnDiskIsThereWhenItStartsAgain() throws Exception {
        onVm(docker -> {
            Container container = docker.start(
                    disks("/disk1,/home,ext4,32M"), DEBIAN, "sh", "-c", "echo run >>/home/log; cat /home/log");
            assertThat(container.finishedLog()).isEqualTo("run\n");
            assertThat(docker.quietly("start", "-a", container.name())).isEqualTo("run\nrun");
            assertThat(docker.quietly("diff", container.name())).isEqualTo("A /disk1");
        });
    }

    @Test
    void aKilledContainersDiskIsStillGood() throws Exception {
        onVm(docker -> {
            String volume = docker.volume() + ":/disks";
            Container container = docker.start(
                    "-v",
                    volume,
                    disks("/disks/d,/home,ext4,64M"),
                    BUSYBOX,
                    "sh",
                    "-c",
                    "echo synced >/home/f; sync; echo ready; while :; do echo more >>/home/g; done");
            container.awaitLog("ready");
            docker.quietly("kill", container.name());
            container.awaitEnd();
            assertThat(sh(docker, "cat /home/f", BUSYBOX, "-v", volume, disks("/disks/d,/home,ext4,64M")))
                    .isEqualTo("synced");
        });
    }

    @Test
    void aFileInUseIsRefused() throws Exception {
        onVm(docker -> {
            String volume = docker.volume();
            Container container = docker.start(
                    "-v",
                    volume + ":/disks",
                    disks("/disks/d,/home,ext4,32M"),
                    BUSYBOX,
                    "sh",
                    "-c",
                    "echo mine >/home/f; echo ready; sleep 1000");
            container.awaitLog("ready");
            Outcome other = attempt(docker, "true", BUSYBOX, "-v", volume + ":/v", disks("/v/d,/elsewhere,ext4,64M"));
            assertThat(other.exitCode()).isEqualTo(NOT_STARTED);
            assertThat(other.errors()).isEqualTo("dkvm: disk \"/v/d\" is in use by another VM");
            docker.quietly("exec", container.name(), "cat", "/home/f");
            docker.quietly("kill", container.name());
            container.awaitEnd();
            assertThat(sh(docker, "ls /x", BUSYBOX, "-v", volume + ":/v", disks("/v/d,/x,ext4,32M")))
                    .isNotNull();
        });
    }

    @Test
    void whatIsNoDiskIsLeftAsItIs() throws Exception {
        onVm(docker -> {
            Path directory = docker.directory();
            String volume = directory + ":/v";
            Files.writeString(directory.resolve("text"), "precious");
            Files.createSymbolicLink(directory.resolve("link"), Path.of("/etc/shadow"));
            Files.createSymbolicLink(directory.resolve("away"), Path.of("/../../../../../.."));
            Files.createDirectory(directory.resolve("directory"));
            sh(docker, "echo kept >/x/f", BUSYBOX, "-v", volume, disks("/v/ext2,/x,ext2,16M"));
            record Case(String file, String filesystem, String said) {}
            for (Case one : List.of(
                    new Case("text", "ext4", "exists and has no filesystem"),
                    new Case("ext2", "ext4", "has the filesystem ext2 and not ext4"),
                    new Case("link", "ext4", "is a symbolic link"),
                    new Case("directory", "ext4", "is a directory"),
                    new Case("nowhere/d", "ext4", "no such file or directory"))) {
                Outcome outcome = attempt(
                        docker,
                        "true",
                        BUSYBOX,
                        "-v",
                        volume,
                        disks("/v/" + one.file + ",/x," + one.filesystem + ",16M"));
                assertThat(outcome.exitCode()).as(one.toString()).isEqualTo(NOT_STARTED);
                assertThat(outcome.errors())
                        .contains("disk \"/v/" + one.file + "\" ")
                        .contains(one.said);
            }
            // A link leads to the container's root at most.
            assertThat(sh(
                            docker,
                            "ls /d-of-the-root",
                            BUSYBOX,
                            "-v",
                            volume,
                            disks("/v/away/d-of-the-root,/x,ext4,16M")))
                    .isEqualTo("/d-of-the-root");
            assertThat(Files.readString(directory.resolve("text"))).isEqualTo("precious");
            assertThat(sh(docker, "cat /x/f", BUSYBOX, "-v", volume, disks("/v/ext2,/x,ext2,16M")))
                    .isEqualTo("kept");
        });
    }

    @Test
    void aDiskNeverShrinks() throws Exception {
        onVm(docker -> {
            Path directory = docker.directory();
            sh(docker, "true", BUSYBOX, "-v", directory + ":/disks", disks("/disks/d,/x,ext4,32M"));
            Outcome outcome =
                    attempt(docker, "true", BUSYBOX, "-v", directory + ":/disks", disks("/disks/d,/x,ext4,16M"));
            assertThat(outcome.exitCode()).isZero();
            assertThat(outcome.errors())
                    .isEqualTo(
                            "dkvm: disk \"/disks/d\" has 33554432 bytes, more than the 16777216 asked for, and keeps them");
            assertThat(Files.size(directory.resolve("d"))).isEqualTo(32 * MIB);
        });
    }

    @Test
    void severalDisksWithVolumesInAndAroundThem() throws Exception {
        onVm(docker -> {
            Path directory = docker.directory();
            Files.writeString(directory.resolve("f"), "volume");
            String seen = sh(
                    docker,
                    "grep -E ' /(home|new)' /proc/mounts | grep ^/dev | cut -d ' ' -f 2,3; cat /home/v/f; stat -f -c %T /home/t;"
                            + " tail -n 3 /etc/fstab; mount -a && echo all; touch /home/f /home/inner/f '/new one/f'",
                    DEBIAN,
                    "--read-only",
                    "-v",
                    directory + ":/home/v:ro",
                    "-v",
                    docker.volume() + ":/disks",
                    "--tmpfs",
                    "/home/t",
                    disks("/disks/a,/home/inner,ext2,16M;/disks/b b,/home,ext4,16M;/disks/c,/new one,ext3,16M"));
            assertThat(seen).isEqualTo("""
                    /home ext4
                    /home/inner ext2
                    /new\\040one ext3
                    volumetmpfs
                    /dev/vdb /home ext4 discard 0 0
                    /dev/vda /home/inner ext2 discard 0 0
                    /dev/vdc /new\\040one ext3 discard 0 0
                    all""");
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"ext4,32M", "xfs,300M", "btrfs,128M"})
    void aDistributionsKernelMountsThemToo(String rest) throws Exception {
        onVm(docker -> assertThat(sh(
                        docker,
                        "uname -r; grep ' /x ' /proc/mounts | cut -d ' ' -f 3",
                        BUSYBOX,
                        "--env=DKVM_KERNEL=debian",
                        disks("/disk,/x," + rest)))
                .doesNotContain("dkvm")
                .endsWith("\n" + rest.substring(0, rest.indexOf(','))));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/disk1",
                "disk1,/home,ext4,32M",
                "/a/../b,/home,ext4,32M",
                "/disk1,/,ext4,32M",
                "/disk1,/proc/x,ext4,32M",
                "/disk1,/etc/passwd,ext4,32M",
                "/disk1,/home,vfat,32M",
                "/disk1,/home,ext4,+32M",
                "/disk1,/home,ext4,1M",
                "/disk1,/home,ext4,32M;/disk1,/x,ext4,32M",
                "/disk1,/home,ext4,32M;/disk2,/home,ext4,32M",
                "/disks/disk1,/home,ext4,32M",
            })
    void whatMakesNoSenseIsRefusedBeforeAnythingStarts(String value) throws Exception {
        onVm(docker -> {
            Outcome outcome = attempt(docker, "true", BUSYBOX, disks(value));
            assertThat(outcome.exitCode()).isEqualTo(NOT_STARTED);
            assertThat(outcome.errors())
                    .containsPattern("option \"DKVM_DISKS\"|disk \"/")
                    .contains("; ");
        });
    }

    @Test
    void aFullDiskOfTheHostIsAnErrorInTheGuestAndNoHang() throws Exception {
        onVm(docker -> {
            Path small = docker.directory();
            Host.run("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", small.toString());
            try {
                Outcome outcome = attempt(
                        docker,
                        "dd if=/dev/urandom of=/data/x bs=1M count=40 conv=fsync 2>/dev/null; echo ended with $?",
                        BUSYBOX,
                        "-v",
                        small + ":/disks",
                        disks("/disks/disk,/data,ext4,64M"));
                assertThat(outcome.text()).as(outcome.toString()).contains("ended with 1");
                assertThat(outcome.errors())
                        .contains("dkvm: a disk of the VM had an error on the host, and the guest is told so: write of"
                                + " \"disk0\": No space left on device");
            } finally {
                Host.run("umount", small.toString());
            }
        });
    }
}
