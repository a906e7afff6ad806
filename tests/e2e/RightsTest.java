// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.TOOLS;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What each process of a sandbox may do, as the kernel shows it, is what the table of docs/security.md says. */
@EndToEnd
class RightsTest {
    private static final Path PAGE = Path.of("docs/security.md");
    private static final String HEADING = "## Rights";
    private static final int COLUMNS = 8;
    private static final String QEMU = "qemu-system-x86";
    private static final String FORWARD = "dkvm-forward";

    /** A program that watches a file of a mount: Docker mounts this one into every container. */
    private static final String WATCHES = """
            import ctypes, time
            libc = ctypes.CDLL(None)
            libc.inotify_add_watch(libc.inotify_init(), b'/etc/hosts', 2)
            time.sleep(1000)
            """;

    /** In the order of their numbers, as far as they occur. */
    private static final Map<Integer, String> CAPABILITIES = Map.ofEntries(
            Map.entry(0, "CHOWN"),
            Map.entry(1, "DAC_OVERRIDE"),
            Map.entry(3, "FOWNER"),
            Map.entry(4, "FSETID"),
            Map.entry(5, "KILL"),
            Map.entry(6, "SETGID"),
            Map.entry(7, "SETUID"),
            Map.entry(8, "SETPCAP"),
            Map.entry(12, "NET_ADMIN"),
            Map.entry(27, "MKNOD"),
            Map.entry(31, "SETFCAP"));

    /** The rows of the page's table, by the process's name. */
    private static Map<String, List<String>> table() throws IOException {
        Map<String, List<String>> rows = new LinkedHashMap<>();
        String page = Files.readString(PAGE);
        for (String line :
                page.substring(page.indexOf("\n" + HEADING)).lines().skip(2).toList()) {
            if (line.startsWith("## ")) {
                break;
            }
            List<String> cells =
                    Stream.of(line.split("\\|", -1)).map(String::strip).toList();
            if (cells.size() == COLUMNS + 2 && cells.get(1).startsWith("`")) {
                rows.put(cells.get(1).replace("`", ""), cells.subList(2, COLUMNS + 1));
            }
        }
        return rows;
    }

    private static Map<String, String> status(long pid) throws IOException {
        Map<String, String> status = new LinkedHashMap<>();
        for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
            int colon = line.indexOf(':');
            status.put(line.substring(0, colon), line.substring(colon + 1).strip());
        }
        return status;
    }

    private static String field(Map<String, String> status, String name) {
        return Objects.requireNonNull(status.get(name), name);
    }

    /** A mask as the table has it. */
    private static String names(String mask) {
        long bits = Long.parseUnsignedLong(mask, 16);
        List<String> names = new ArrayList<>();
        for (int i = 0; i < Long.SIZE; i++) {
            if ((bits & 1L << i) != 0) {
                names.add(CAPABILITIES.getOrDefault(i, "number " + i));
            }
        }
        return names.isEmpty() ? "none" : String.join(" ", names);
    }

    /** The kinds of what a process has open. */
    private static Set<String> open(long pid, String process) throws IOException {
        Set<String> kinds = new TreeSet<>();
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/" + pid + "/fd"))) {
            for (Path descriptor : descriptors.toList()) {
                kinds.add(kind(target(descriptor), process));
            }
        }
        kinds.remove("");
        return kinds;
    }

    /** Empty for one that has been closed meanwhile. */
    private static String target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (java.nio.file.NoSuchFileException e) {
            return "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String kind(String target, String process) {
        String word = target.replaceFirst("^anon_inode:\\[?([a-z]+).*$", "$1").replaceFirst("^(socket|pipe):.*$", "$1");
        return switch (word) {
            case "", "socket", "pipe", "signalfd", "eventfd", "inotify" -> word;
            case "eventpoll" -> "epoll";
            case "/dev/null" -> "null";
            case "/dev/random", "/dev/urandom" -> "random";
            case "/dev/net/tun" -> "tun";
            case "/dev/kvm" -> "kvm";
            case "/run/dkvm/log/monitor.log", "/run/dkvm/log/console.log" -> "log";
            case "/run/dkvm/share.sock.pid" -> "pidfile";
            default -> file(word, process);
        };
    }

    private static String file(String path, String process) {
        if (path.startsWith("/memfd:")) {
            return "memory";
        }
        if (path.startsWith("/proc/")) {
            return "proc";
        }
        if (path.startsWith("/opt/dkvm/jre/") || path.startsWith("/opt/dkvm/lib/")) {
            return "java";
        }
        // QEMU has nothing of the container's open but its disks; virtiofsd whatever the guest has.
        return switch (process) {
            case QEMU -> path.endsWith("/rights-disk") ? "disk" : path;
            case "virtiofsd", "dkvm-locks", "dkvm-events" -> "share";
            default -> path;
        };
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "--privileged",
                "--cap-drop ALL",
                "-e DKVM_DISKS=/rights-disk,/mnt,ext4,64m -e DKVM_DISPLAY_MODE=web -e DKVM_QEMU_VNC_PASSWORD=x",
                "-p 127.0.0.1::80"
            })
    void everyProcessHasWhatThePageSays(String options) throws Exception {
        onVm(docker -> {
            List<String> words = new ArrayList<>(
                    options.isEmpty()
                            ? List.of()
                            : Stream.of(options.split(" ", -1)).toList());
            words.addAll(List.of("-v", docker.directory() + ":/v", TOOLS, "python3", "-c", WATCHES));
            Container container = docker.start(words.toArray(String[]::new));
            container.exec("flock", "/v", "true");
            Map<String, List<String>> expected = table();
            if (!options.contains("DISPLAY_MODE=web")) {
                expected.remove("dkvm-web");
            }
            // A pod's: PodsTest looks at it.
            expected.remove(FORWARD);
            Map<String, List<String>> found = new LinkedHashMap<>();
            Sandbox sandbox = Sandbox.of(container).orElseThrow();
            for (String process : expected.keySet()) {
                long pid = sandbox.await(process).orElseThrow(() -> new AssertionError("no process " + process));
                found.put(process, row(process, pid, Objects.requireNonNull(expected.get(process))));
            }
            assertThat(found).isEqualTo(expected);
            assertThat(processes(sandbox, container)).isEqualTo(new TreeSet<>(expected.keySet()));
            noMemoryIsRead(sandbox, expected.keySet());
            theMachineSeesNothingOfTheOthers(container);
        });
    }

    /** What a process has, as its row of the page, whose last cell may name more than is open now. */
    private static List<String> row(String process, long pid, List<String> expected) throws IOException {
        Map<String, String> status = status(pid);
        assertThat(status).as(process).containsEntry("NoNewPrivs", "1").containsEntry("Seccomp", "2");
        assertThat(field(status, "CapAmb")).isEqualTo(field(status, "CapInh"));
        String uid = field(status, "Uid").substring(0, field(status, "Uid").indexOf('\t'));
        assertThat(field(status, "Uid") + "\t" + field(status, "Gid"))
                .isEqualTo(String.join("\t", List.of(uid, uid, uid, uid, uid, uid, uid, uid)));
        assertThat(field(status, "Groups")).isEmpty();
        String opened = expected.getLast();
        assertThat(List.of(opened.split(" ", -1)))
                .as("what " + process + " has open")
                .containsAll(open(pid, process));
        return List.of(
                uid,
                names(field(status, "CapPrm")),
                names(field(status, "CapEff")),
                names(field(status, "CapBnd")),
                names(field(status, "CapAmb")),
                field(status, "Seccomp_filters"),
                opened);
    }

    /** The process of a pod's that the page has, too. */
    static void assertForwardIsAsThePageSays(long pid) throws IOException {
        List<String> expected = Objects.requireNonNull(table().get(FORWARD));
        assertThat(row(FORWARD, pid, expected)).isEqualTo(expected);
    }

    /** From a program's first moment: what it may not read itself has memory that nobody of its rights reads. */
    @ParameterizedTest
    @CsvSource({
        "opt/dkvm/jre/bin/dkvm-monitor, --x--x--x",
        "opt/dkvm/dkvm-exec, --x--x--x",
        "usr/bin/qemu-system-x86_64, rwx--x--x",
        "share, rwx------",
        "disks, rwx------"
    })
    void thePackageHasNoMoreRights(String file, String mode) throws Exception {
        Path found = Path.of("/opt/dkvm/current/sandbox").resolve(file);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(found)))
                .isEqualTo(mode);
    }

    /** All that run in the sandbox. */
    private static Set<String> processes(Sandbox sandbox, Container container) throws Exception {
        sandbox.look();
        long init = Long.parseLong(container.inspect("{{.State.Pid}}"));
        Set<String> names = new TreeSet<>();
        names.add(Files.readString(Path.of("/proc/" + init + "/comm")).strip());
        ProcessHandle.of(init).orElseThrow().descendants().forEach(process -> {
            try {
                names.add(Files.readString(Path.of("/proc/" + process.pid() + "/comm"))
                        .strip());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        return names;
    }

    /** Whoever is QEMU's user sees no slot and no other process. */
    private static void theMachineSeesNothingOfTheOthers(Container container) throws Exception {
        List<String> words = new ArrayList<>(List.of("nsenter", "-m", "-p", "-t", container.inspect("{{.State.Pid}}")));
        words.addAll(List.of("-S", "2130000000", "-G", "2130000000", "busybox", "sh", "-c"));
        words.add("ls -d /share/root /disks/.; cat /proc/1/cmdline; ls -d /proc/1; id -u");
        assertThat(Running.complete(words, Bytes.of("")).text()).isEqualTo("2130000000");
    }

    /** With virtiofsd's rights, and with no capability, root reads no other's memory, nor that of QEMU's user. */
    private static void noMemoryIsRead(Sandbox sandbox, Set<String> processes) throws Exception {
        for (String process : processes) {
            long pid = sandbox.find(process).orElseThrow();
            String user = process.equals(QEMU) ? "2130000000" : "0";
            if (process.equals("virtiofsd")) {
                continue;
            }
            Outcome outcome = Running.complete(
                    List.of(
                            "setpriv",
                            "--reuid",
                            user,
                            "--clear-groups",
                            "--bounding-set",
                            "-all,+chown,+dac_override,+fowner,+fsetid,+setgid,+setuid,+mknod,+setfcap",
                            "cat",
                            "/proc/" + pid + "/maps"),
                    Bytes.of(""));
            assertThat(outcome.exitCode())
                    .as("the memory of " + process + " is read by another")
                    .isNotZero();
        }
    }
}
