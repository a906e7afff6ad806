// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.TOOLS;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Images and volumes whose links lead at DKVM's own files, with programs of their own for what would then run on the host's kernel. Each runs as under runc, or is refused;
 * nothing of theirs runs outside a VM, and the package and the host's caches stay what they are.
 */
@EndToEnd
@ResourceLock("the package's kernels and the caches")
class HostileImageTest {
    private static final String OWNED = "OWNED";

    /** A program for DKVM's place, which shows wherever it can that it ran. */
    private static final String EVIL = "#!/bin/sh\\necho " + OWNED
            + "; for d in /vm /share/root /share/*; do echo x >$d/" + OWNED + "; done; exec sleep 1\\n";

    private static final String PACKAGE = "/opt/dkvm";

    /** What an image fills a volume with that it wants over the package: its own program for each name there. */
    private static final String PROGRAMS = "RUN mkdir -p /links/opt/dkvm/lib /links/dev /links/run /links/lib/modules"
            + " && printf '" + EVIL + "' >/links/opt/dkvm/dkvm-init && chmod 755 /links/opt/dkvm/dkvm-init"
            + " && cp /links/opt/dkvm/dkvm-init /links/opt/dkvm/dkvm-disk"
            + " && echo no jar >/links/opt/dkvm/lib/dkvm.jar";

    private static List<String> before = List.of();

    @BeforeAll
    static void lookAtTheHost() throws Exception {
        before = hostFiles();
    }

    @AfterAll
    static void theHostIsAsItWas() throws Exception {
        List<String> changed = new ArrayList<>(hostFiles());
        List<String> gone = new ArrayList<>(before);
        gone.removeAll(changed);
        changed.removeAll(before);
        // Other cases boot kernels of images, and what is used last is written down as a directory's time.
        changed.removeIf(line -> line.matches("/var/cache/dkvm/kernels/[0-9a-f]{60,64}[ /].*"));
        assertThat(gone).as("what the package and the caches had before").isEmpty();
        assertThat(changed).as("what they have now").isEmpty();
    }

    private static List<String> hostFiles() throws Exception {
        return Host.run(
                        "sh",
                        "-c",
                        "find -H /opt/dkvm/ /var/cache/dkvm -xdev -path /var/cache/dkvm/templates -prune -o -path '/var/cache/dkvm/*' -type d -printf '%p %m\\n' -o -printf '%p %l %m %s %T@\\n' 2>/dev/null | sort")
                .lines()
                .toList();
    }

    /** An image with a link, and with programs where it leads to. */
    private static String hostile(Docker docker, String link, String target, String more) throws Exception {
        return docker.image("FROM " + BUSYBOX + " AS made\n" + PROGRAMS + " && rm -rf /links" + link + " && ln -s "
                + target + " /links" + link + "\nFROM " + BUSYBOX + "\nCOPY --from=made /links/ /\n" + more);
    }

    private static void assertNotOwned(Transcript seen, Path... directories) throws Exception {
        assertThat(seen.toString()).doesNotContain(OWNED);
        for (Path directory : directories) {
            assertThat(directory.resolve(OWNED)).doesNotExist();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/opt/dkvm", "/opt/dkvm/lib", "/opt", "/share", "/usr/libexec", "../../../../../opt/dkvm"})
    void aVolumeOfTheImageAtALinkInDev(String target) throws Exception {
        assertNotOwned(assertSame(docker -> {
            String image = hostile(docker, "/dev/x", target, "VOLUME /dev/x\n");
            docker.run(image, "sh", "-c", "[ -d /dev/x ] && touch /dev/x/y && ls -l /dev/x | wc -l; echo inside");
        }));
    }

    /** The engine mounts no /dev then, and runc would make devices in the sandbox's root: it starts no such image. */
    @Test
    void aVolumeOfTheImageInThePlaceOfDev() throws Exception {
        Transcript seen = onVm(docker -> {
            String image = docker.image("FROM " + BUSYBOX + "\nVOLUME /dev\nVOLUME /sys\n");
            docker.run(image, "sh", "-c", "ls -A /dev | wc -l; echo inside");
            docker.note("package", Host.run("ls", "-A", PACKAGE + "/current/sandbox/dev"));
        });
        assertThat(seen.toString()).contains("inside");
        assertThat(seen.fact("package")).isEmpty();
    }

    @Test
    void aMountPointThatALinkWouldMakeInThePackage() throws Exception {
        assertNotOwned(assertSame(docker -> {
            String image = hostile(docker, "/dev/x", "/created", "VOLUME /dev/x\n");
            Path file = docker.directory().resolve("f");
            Files.writeString(file, "of the host\n");
            docker.run("-v", file + ":/dev/x/deep/f", image, "cat", "/dev/x/deep/f");
            docker.run("--read-only", "-v", file + ":/dev/x/deep/f", image, "cat", "/dev/x/deep/f");
        }));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "--read-only"})
    void aLinkOfTheImageBelowATmpfsOfTheGuest(String option) throws Exception {
        assertNotOwned(assertSame(docker -> {
            String image = hostile(docker, "/run/y", PACKAGE, "");
            List<String> command = new ArrayList<>(List.of(
                    "--tmpfs",
                    "/run",
                    "-v",
                    docker.volume() + ":/run/y",
                    image,
                    "sh",
                    "-c",
                    "touch /run/y/f; ls /run/y; [ -L /run/y ] || echo no link"));
            if (!option.isEmpty()) {
                command.add(0, option);
            }
            docker.run(command.toArray(String[]::new));
        }));
    }

    @Test
    void modulesAtALink() throws Exception {
        Transcript seen = onVm(docker -> {
            String release = docker.run(BUSYBOX, "uname", "-r").text().strip();
            String image = hostile(docker, "/lib/modules/" + release, PACKAGE, "");
            docker.run(image, "sh", "-c", "echo inside");
        });
        assertNotOwned(seen);
        assertThat(seen.toString()).contains("inside");
    }

    /** A link that changes while runc mounts: no name of the volume's may be looked up outside the VM. */
    @Test
    void aNeighbourSwapsALinkWhileContainersStart() throws Exception {
        Transcript seen = onVm(docker -> {
            String outer = docker.volume();
            String inner = docker.volume();
            docker.quietly(
                    "run",
                    "--rm",
                    "-v",
                    inner + ":/v",
                    BUSYBOX,
                    "sh",
                    "-c",
                    "printf '" + EVIL + "' >/v/dkvm-init; chmod 755 /v/dkvm-init");
            Container swapper = docker.peer("-v", outer + ":/v", TOOLS, "python3", "-c", """
                    import ctypes, os
                    libc = ctypes.CDLL(None)
                    os.makedirs('/v/sub'); os.symlink('/opt/dkvm', '/v/link'); print('swapping', flush=True)
                    while True: libc.renameat2(-100, b'/v/sub', -100, b'/v/link', 2)
                    """);
            swapper.awaitLog("swapping");
            // A mount is decided when the sandbox is there: most need not live on.
            try (ExecutorService starters = Executors.newFixedThreadPool(2)) {
                List<Future<String>> starts = new ArrayList<>();
                for (int i = 0; i < 30; i++) {
                    boolean whole = i % 6 == 0;
                    starts.add(starters.submit(() -> start(docker, outer, inner, whole)));
                }
                for (Future<String> start : starts) {
                    docker.note("start", start.get());
                }
            }
            // What changes under find(1) is an error of its own.
            docker.quietly("rm", "-f", swapper.name());
            docker.note(
                    "marks",
                    docker.quietly(
                            "run",
                            "--rm",
                            "-v",
                            outer + ":/o",
                            "-v",
                            inner + ":/i",
                            BUSYBOX,
                            "sh",
                            "-c",
                            "find /o /i -name '" + OWNED + "*'"));
        });
        assertNotOwned(seen);
        assertThat(seen.toString().split("inside", -1).length - 1)
                .as("whole lives")
                .isGreaterThanOrEqualTo(3);
    }

    private static String start(Docker docker, String outer, String inner, boolean whole) throws Exception {
        String name = docker.name();
        List<String> command = new ArrayList<>(List.of("run", "--name", name, "--runtime", docker.runtime()));
        if (!whole) {
            command.add("-d");
        }
        command.addAll(List.of("-v", outer + ":/data", "-v", inner + ":/data/sub", BUSYBOX, "echo", "inside"));
        Outcome outcome = docker.attempt(command.toArray(String[]::new));
        String seen = whole ? outcome.text() + outcome.errors() : "started " + outcome.errors();
        if (!whole) {
            seen += docker.attempt("logs", name);
        }
        docker.attempt("rm", "-f", name);
        return seen;
    }

    @Test
    void volumesOfDisksWithLinks() throws Exception {
        Transcript seen = onVm(docker -> {
            Path outer = docker.directory();
            Path inner = docker.directory();
            Files.createSymbolicLink(outer.resolve("sub"), Path.of(PACKAGE));
            Files.createSymbolicLink(outer.resolve("out"), Path.of("/opt"));
            Files.createSymbolicLink(outer.resolve("file"), Path.of("/opt/dkvm/lib/dkvm.jar"));
            String volumes = outer + ":/disks";
            docker.run(
                    "-v",
                    volumes,
                    "-v",
                    inner + ":/disks/sub",
                    "-e",
                    "DKVM_DISKS=/disks/sub/d,/data,ext4,64M",
                    BUSYBOX,
                    "sh",
                    "-c",
                    "mount | grep -c ' /data type ext4'; ls -d /disks 2>/dev/null || echo unseen");
            docker.note("disk", Files.exists(inner.resolve("d")));
            docker.note(
                    "out",
                    docker.attempt(
                            "run",
                            "--rm",
                            "--runtime",
                            docker.runtime(),
                            "-v",
                            volumes,
                            "-e",
                            "DKVM_DISKS=/disks/out/d,/data,ext4,64M",
                            BUSYBOX,
                            "true"));
            docker.note(
                    "file",
                    docker.attempt(
                            "run",
                            "--rm",
                            "--runtime",
                            docker.runtime(),
                            "-v",
                            volumes,
                            "-e",
                            "DKVM_DISKS=/disks/file,/data,ext4,64M",
                            BUSYBOX,
                            "true"));
        });
        assertThat(seen.fact("disk")).isEqualTo("true");
        assertThat(seen.toString())
                .contains("can not be reached: directory \"/out\": no such file or directory")
                .contains("is a symbolic link");
    }

    @Test
    void anOverlayOfPodmansAtALink() throws Exception {
        try (Engine podman = Engine.podman("runc", "netavark", BUSYBOX)) {
            assertNotOwned(assertSame(podman, docker -> {
                String image = hostile(docker, "/dev/x", PACKAGE, "");
                Path directory = docker.directory();
                Files.writeString(directory.resolve("f"), "below\n");
                docker.run("-v", directory + ":/dev/x:O", image, "sh", "-c", "cat /dev/x/f; echo up >/dev/x/f");
                docker.note("kept", Files.readString(directory.resolve("f")));
            }));
        }
    }

    /** What the workload sees of all this: its own mounts, and no directory of slots. */
    @Test
    void theSlotsAreOutOfSight() throws Exception {
        Transcript seen = onVm(
                docker -> docker.run(
                        "--privileged",
                        "-v",
                        docker.volume() + ":/v",
                        BUSYBOX,
                        "sh",
                        "-c",
                        "grep -c '/share' /proc/self/mountinfo; ls -d /share /newroot; grep -c '/share' /proc/1/mountinfo; true"));
        assertThat(seen.first().text()).isEqualTo("0\n0");
    }
}
