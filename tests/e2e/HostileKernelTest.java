// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.KERNEL;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Images and packages with kernels that mean harm to the host that makes them ready: each is refused with a word why, or does no more than it may, and leaves nothing. */
@EndToEnd
@Isolated
class HostileKernelTest {
    private static final Path CACHE = Path.of("/var/cache/dkvm/kernels");
    private static final Path JOBS = Path.of("/run/dkvm/jobs");
    private static final String NOBODY = "65534";

    /** The entries of the cache, and what is left of those that were not finished. */
    private static Set<String> cache() throws IOException {
        return names(CACHE, name -> name.length() == 64 || name.startsWith(".making-"));
    }

    private static Set<String> jobs() throws IOException {
        return names(JOBS, name -> name.startsWith("dkvm-job-"));
    }

    private static Set<String> names(Path directory, Predicate<String> wanted) throws IOException {
        Set<String> names = new TreeSet<>();
        if (Files.isDirectory(directory)) {
            try (Stream<Path> all = Files.list(directory)) {
                all.map(path -> path.getFileName().toString()).filter(wanted).forEach(names::add);
            }
        }
        return names;
    }

    /** A module that is one by its beginning, and has so many bytes more when it is decompressed. */
    private static String large(String module, String bytes) {
        return "find . -name '" + module + ".ko*' -delete && { cat /tmp/m; head -c " + bytes
                + " /dev/zero; } | gzip -1 >kernel/" + module + ".ko.gz";
    }

    private static String attack(String name) {
        return switch (name) {
            case "bomb" -> large("virtiofs", "300M");
            case "sum" ->
                Stream.of("virtio_blk", "virtio_rng", "virtio_balloon", "overlay", "ext4")
                        .map(module -> large(module, "50M"))
                        .collect(Collectors.joining(" && "));
            case "many" -> "mkdir many && cd many && seq 20000 | xargs touch";
            case "huge" -> "truncate -s 80M \"$(readlink -f /vmlinuz)\"";
            default -> throw new IllegalArgumentException(name);
        };
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "bomb|it has more than 67108864 bytes",
                "sum|it has more than 201326592 bytes",
                "many|it has more than 20000 entries",
                "huge|is no file of at most 67108864 bytes",
            })
    void anImagesKernelThatWantsTooMuchIsRefused(String attack, String why) throws Exception {
        onVm(docker -> {
            String image = docker.image("FROM " + KERNEL
                    + "\nRUN cd /lib/modules/* && m=$(find . -name 'virtio_blk.ko*')"
                    + " && case $m in *.xz) xz -dc $m ;; *) cat $m ;; esac >/tmp/m && " + attack(attack) + "\n");
            Set<String> before = cache();
            long start = System.nanoTime();
            Container container = docker.create(image, "true");
            Outcome outcome = docker.attempt("start", "-a", container.name());
            assertThat(outcome.exitCode()).isNotZero();
            assertThat(outcome.errors()).contains("the image's").contains(why).contains("DKVM_KERNEL=dkvm");
            assertThat(System.nanoTime() - start).isLessThan(Settings.DEADLINE.toNanos());
            docker.quietly("rm", container.name());
            Sandbox.assertNothingLeft(container.id());
            assertThat(cache()).isEqualTo(before);
            assertThat(jobs()).isEmpty();
        });
    }

    @Test
    void whatIsNoFileInAnImageKeepsNobodyWaiting() throws Exception {
        onVm(docker -> {
            String image = docker.image("FROM " + BUSYBOX
                    + "\nRUN rm -f /etc/os-release; mkdir -p /usr/lib; mkfifo /etc/os-release /usr/lib/os-release /vmlinuz"
                    + " /initrd.img /bin/pipe && chmod 755 /bin/pipe\n");
            assertThat(docker.run(image, "uname", "-r").text()).endsWith("-dkvm");
            Container container = docker.create(image, "/bin/pipe");
            Outcome outcome = docker.attempt("start", "-a", container.name());
            assertThat(outcome.exitCode()).isNotZero();
            docker.quietly("rm", container.name());
            Sandbox.assertNothingLeft(container.id());
        });
    }

    @Test
    void aKernelThatItsGuestTouchesIsKeptOnce() throws Exception {
        onVm(docker -> {
            Container container =
                    docker.create(KERNEL, "sh", "-c", "uname -r; find /lib/modules /boot -exec touch {} +; sync");
            Outcome first = docker.attempt("start", "-a", container.name());
            assertThat(first.exitCode()).as(first.toString()).isZero();
            Set<String> kept = cache();
            assertThat(docker.attempt("start", "-a", container.name()).text()).isEqualTo(first.text());
            assertThat(cache()).isEqualTo(kept);
        });
    }

    /** QEMU as it tries a kernel: outside of any container. */
    private static Optional<Path> probe() throws IOException {
        List<Path> found = new ArrayList<>();
        try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
            for (Path process : (Iterable<Path>) processes::iterator) {
                try {
                    String command =
                            Files.readString(process.resolve("cmdline")).replace('\0', ' ');
                    if (command.startsWith("/usr/bin/qemu-system-") && command.contains(" /run/job/kernel/")) {
                        found.add(process);
                    }
                } catch (IOException ignored) {
                    // Gone, or no process.
                }
            }
        }
        return found.stream().findFirst();
    }

    private static String status(Path process, String key) throws IOException {
        return Files.readAllLines(process.resolve("status")).stream()
                .filter(line -> line.startsWith(key + ":"))
                .map(line -> line.substring(key.length() + 1).strip())
                .findFirst()
                .orElseThrow();
    }

    @Test
    void aKernelIsTriedInASandboxWhichOutlivesNobodyForLong() throws Exception {
        onVm(docker -> {
            Path deb = Host.kernelPackage("bookworm", "cloud-amd64");
            String kernel = "e2e/" + docker.name();
            List<String> command =
                    new ArrayList<>(List.of(Settings.COMMAND, "kernel", "add", kernel, "--from", deb.toString()));
            Process adding = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try {
                Deadline.await("QEMU", () -> probe().isPresent() || !adding.isAlive());
                Path qemu = probe().orElseThrow();
                assertThat(status(qemu, "Uid")).isEqualTo(String.join("\t", NOBODY, NOBODY, NOBODY, NOBODY));
                assertThat(status(qemu, "CapEff")).isEqualTo("0000000000000000");
                assertThat(status(qemu, "CapBnd")).isEqualTo("0000000000000000");
                assertThat(status(qemu, "NoNewPrivs")).isEqualTo("1");
                assertThat(status(qemu, "Seccomp")).isEqualTo("2");
                for (String namespace : List.of("net", "mnt", "pid", "ipc", "uts")) {
                    assertThat(Files.readSymbolicLink(qemu.resolve("ns").resolve(namespace)))
                            .as(namespace)
                            .isNotEqualTo(Files.readSymbolicLink(Path.of("/proc/self/ns", namespace)));
                }
                assertThat(Files.readString(qemu.resolve("net/dev"))).doesNotContain("eth0");
                assertThat(Files.readString(qemu.resolve("cgroup"))).contains("/dkvm-job-");
            } finally {
                adding.destroyForcibly().waitFor();
            }
            assertThat(jobs()).hasSize(1);
            Files.createDirectories(CACHE.resolve(".making-e2e/entry"));
            Outcome next = Host.dkvm("kernel", "add", kernel, "--from", "/etc/passwd");
            assertThat(next.exitCode()).isEqualTo(1);
            assertThat(next.errors()).contains("can not take a kernel from \"/etc/passwd\": it is no deb, rpm or apk");
            assertThat(jobs()).isEmpty();
            assertThat(cache()).noneMatch(name -> name.startsWith(".making-"));
            Deadline.await("the end of QEMU", () -> probe().isEmpty());
            assertThat(Host.dkvm("kernel", "ls").text()).doesNotContain(kernel);
        });
    }

    @Test
    void aPackageThatUnpacksToTooMuchLeavesNothing() throws Exception {
        onVm(docker -> {
            Path directory = docker.directory();
            Host.run(
                    "sh",
                    "-c",
                    "cd " + directory
                            + " && mkdir boot && truncate -s 600M boot/vmlinuz-1 && tar -czf data.tar.gz ./boot"
                            + " && echo 2.0 >debian-binary && ar -q bomb.deb debian-binary data.tar.gz 2>/dev/null");
            Outcome outcome = Host.dkvm(
                    "kernel",
                    "add",
                    "e2e/" + docker.name(),
                    "--from",
                    directory.resolve("bomb.deb").toString());
            assertThat(outcome.exitCode()).isEqualTo(1);
            assertThat(outcome.errors()).contains("has 629145600 bytes, more than 536870912");
            assertThat(jobs()).isEmpty();
        });
    }
}
