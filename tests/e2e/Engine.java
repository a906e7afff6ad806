// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.opentest4j.TestAbortedException;

/** An engine: the machine's Docker or Podman, or a newer one of either that tests/engines/engine.sh has beside it; with a network of its own, but for the machine's Docker. */
final class Engine implements Closeable {
    /** The engine that the environment names. */
    static final Engine MACHINES = new Engine(List.of("docker"), null, null);

    private static final String SKIP = "no engine from";
    private static final String SCRIPT = "tests/engines/engine.sh";
    private static final String LAUNCHER = "/opt/dkvm/scripts/dkvm-runtime";
    private static final String PODMAN_PROGRAM = "podman";
    /** The settings of the runtime under test are its own, and crun takes version 1 of the control groups only where there is nothing of version 2. It lasts as long as its standard input is open. */
    private static final String PODMAN_PLACE = """
            set -e
            mkdir -p /etc/dkvm
            mount --bind "$1" /etc/dkvm
            umount /sys/fs/cgroup/unified 2>/dev/null || :
            ip link set lo up
            echo ready
            exec cat
            """;

    /** A user and a group, and the first of as many of their subordinate ids as distributions give. */
    private static final String USER = "4275";

    /** What an administrator has done for a user, in mounts of its own. */
    private static final String USERS_PLACE = """
            set -e
            umask 022
            mkdir "$1/etc" "$1/home" "$1/run"
            chown "$2:$2" "$1/home"
            mount -t tmpfs -o "mode=700,uid=$2,gid=$2" tmpfs "$1/run"
            line() {
                { cat "/etc/$1" 2>/dev/null || :; echo "$2"; } >"$3/etc/$1"
                [ -e "/etc/$1" ] || : >"/etc/$1"
                mount --bind "$3/etc/$1" "/etc/$1"
            }
            line passwd "dkvm-user:x:$2:$2::$1/home:/bin/sh" "$1"
            line group "dkvm-user:x:$2:" "$1"
            line subuid "dkvm-user:427500000:65536" "$1"
            line subgid "dkvm-user:427500000:65536" "$1"
            mkdir -p /dev/net
            mount -t tmpfs -o mode=755 tmpfs /dev/net
            mknod -m 666 /dev/net/tun c 10 200
            ip link set lo up
            echo ready
            exec cat
            """;

    /** Where an engine's data can be: not in /tmp, which may be memory. */
    private static final Path DATA = Path.of("/var/lib");

    private final List<String> program;
    private final @Nullable Running process;
    private final @Nullable Path directory;

    private Engine(List<String> program, @Nullable Running process, @Nullable Path directory) {
        this.program = program;
        this.process = process;
        this.directory = directory;
    }

    /** Starts the engine of a Debian suite and gives it these images of the machine's; skips the case where there is none of it. */
    static Engine start(String suite, String... images) throws Exception {
        Path directory = Files.createTempDirectory(DATA, "dkvm-engine-");
        String socket = "unix://" + directory.resolve("docker.sock");
        Running process = Running.start(List.of(SCRIPT, "run", suite, directory.toString()));
        Engine engine = new Engine(List.of("docker", "--host", socket), process, directory);
        return engine.given(
                () -> Deadline.await("the engine of " + suite + " answers", () -> engine.answers(process)), images);
    }

    /**
     * Podman with data, a network and mounts of its own, with networks of "netavark" or "cni", and these images of the machine's; skips the case where Podman or the runtime is missing. Its "runc" is that runtime, and so is the one
     * that its "dkvm" calls.
     */
    static Engine podman(String runtime, String networks, String... images) throws Exception {
        skipWithout(PODMAN_PROGRAM, runtime);
        Path directory = Files.createTempDirectory(DATA, "dkvm-podman-");
        Path settings = Files.createDirectory(directory.resolve("dkvm"));
        String path = Host.run("sh", "-c", "command -v " + runtime);
        Files.writeString(settings.resolve("dkvm.json"), "{\"runc\": \"" + path + "\"}\n");
        Path config = Files.writeString(directory.resolve("containers.conf"), podmanSettings(path, networks));
        Running process = Running.start(List.of(
                "unshare",
                "--mount",
                "--net",
                "--propagation",
                "private",
                "sh",
                "-c",
                PODMAN_PLACE,
                "sh",
                settings.toString()));
        Engine engine = new Engine(
                List.of(
                        "nsenter",
                        "--mount",
                        "--net",
                        "--target=" + process.pid(),
                        "env",
                        "CONTAINERS_CONF=" + config,
                        PODMAN_PROGRAM,
                        "--root=" + directory.resolve("data"),
                        "--runroot=" + directory.resolve("run"),
                        "--network-config-dir=" + directory.resolve("networks"),
                        "--cgroup-manager=cgroupfs",
                        "--events-backend=file"),
                process,
                directory);
        return engine.given(() -> process.awaitStdout("ready"), images);
    }

    private static void skipWithout(String... programs) throws Exception {
        for (String needed : programs) {
            if (Running.complete(List.of("sh", "-c", "command -v " + needed), Bytes.of(""))
                            .exitCode()
                    != 0) {
                throw new TestAbortedException("no " + needed + " here");
            }
        }
    }

    /** Podman of the next Debian, with the runc that is there, likewise; skips the case where there is none. */
    static Engine newerPodman(String... images) throws Exception {
        Path directory = Files.createTempDirectory(DATA, "dkvm-podman-");
        String runc = "/usr/sbin/runc";
        Files.writeString(
                Files.createDirectory(directory.resolve("dkvm")).resolve("dkvm.json"),
                "{\"runc\": \"" + runc + "\"}\n");
        Files.writeString(directory.resolve("containers.conf"), podmanSettings(runc, "netavark"));
        Running process = Running.start(List.of(SCRIPT, "run", "podman", directory.toString()));
        String namespaces = "/proc/" + process.pid() + "/ns/";
        Engine engine = new Engine(
                List.of(
                        "nsenter",
                        "--mount=" + namespaces + "mnt",
                        "--net=" + namespaces + "net",
                        "--pid=" + namespaces + "pid_for_children",
                        "env",
                        "HOME=/engine",
                        "TMPDIR=/engine",
                        "CONTAINERS_CONF=/engine/containers.conf",
                        "PODMAN_IGNORE_CGROUPSV1_WARNING=1",
                        PODMAN_PROGRAM,
                        "--root=/engine/data",
                        "--runroot=/engine/run",
                        "--network-config-dir=/engine/networks",
                        "--cgroup-manager=cgroupfs",
                        "--events-backend=file"),
                process,
                directory);
        return engine.given(() -> Deadline.await("there is a place for Podman", () -> engine.isReady(process)), images);
    }

    /**
     * The machine's Podman on runc, of an ordinary user with subordinate ids that only this engine knows, with these images; skips the case where something for it is missing. The user, its home and its devices, as distributions have them,
     * are there in mounts of the engine's own, and so are its processes in a network of its own.
     */
    static Engine rootless(String... images) throws Exception {
        skipWithout(PODMAN_PROGRAM, "runc", "newuidmap", "slirp4netns", "setpriv");
        Path directory = Files.createTempDirectory(DATA, "dkvm-podman-");
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
        String runc = Host.run("sh", "-c", "command -v runc").strip();
        Path config = Files.writeString(directory.resolve("containers.conf"), podmanSettings(runc, "netavark"));
        Running process = Running.start(List.of(
                "unshare",
                "--mount",
                "--net",
                "--propagation",
                "private",
                "sh",
                "-c",
                USERS_PLACE,
                "sh",
                directory.toString(),
                USER));
        Engine engine = new Engine(
                List.of(
                        "nsenter",
                        "--mount",
                        "--net",
                        "--target=" + process.pid(),
                        "setpriv",
                        "--reuid=" + USER,
                        "--regid=" + USER,
                        "--clear-groups",
                        "env",
                        "--ignore-environment",
                        "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
                        "HOME=" + directory.resolve("home"),
                        "XDG_RUNTIME_DIR=" + directory.resolve("run"),
                        "CONTAINERS_CONF=" + config,
                        PODMAN_PROGRAM,
                        "--log-level=error",
                        "--cgroup-manager=cgroupfs",
                        "--events-backend=file"),
                process,
                directory);
        return engine.given(() -> process.awaitStdout("ready"), images);
    }

    /** A program beside this engine, as whoever calls it. */
    List<String> beside(String... words) {
        List<String> command = new ArrayList<>(program.subList(0, program.indexOf(PODMAN_PROGRAM)));
        command.addAll(List.of(words));
        return command;
    }

    /** Limits of their own, as Podman's are beyond what a container of CI may set. */
    private static String podmanSettings(String runtime, String networks) {
        return """
                [containers]
                default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
                [network]
                network_backend = "%s"
                [engine]
                runtime = "runc"
                [engine.runtimes]
                runc = ["%s"]
                dkvm = ["%s"]
                """.formatted(networks, runtime, LAUNCHER);
    }

    private interface Wait {
        void end() throws Exception;
    }

    /** This engine with these images of the machine's, once it is there; it ends when that fails. */
    private Engine given(Wait wait, String... images) throws Exception {
        try {
            wait.end();
            copy(images);
        } catch (Exception | AssertionError e) {
            close();
            throw e;
        }
        return this;
    }

    private void copy(String... images) throws Exception {
        List<String> copy = new ArrayList<>(List.of("docker", "save"));
        copy.addAll(List.of(images));
        Host.run("sh", "-c", String.join(" ", copy) + " | " + String.join(" ", command("load")));
    }

    private boolean isReady(Running running) throws Exception {
        assertRuns(running);
        return running.stdoutSoFar().contains("ready");
    }

    private boolean answers(Running running) throws Exception {
        assertRuns(running);
        return Running.complete(command("info"), Bytes.of("")).exitCode() == 0;
    }

    private void assertRuns(Running running) throws Exception {
        if (!running.isAlive()) {
            Outcome outcome = running.finish();
            if (outcome.errors().contains(SKIP)) {
                throw new TestAbortedException(outcome.errors());
            }
            throw new AssertionError("the engine ended: " + outcome + log());
        }
    }

    private String log() throws IOException {
        Path log = directory == null ? Path.of("/dev/null") : directory.resolve("dockerd.log");
        return Files.exists(log) ? "\n" + Files.readString(log) : "";
    }

    /** The client's command line for this engine. */
    List<String> command(String... arguments) {
        List<String> command = new ArrayList<>(program);
        command.addAll(List.of(arguments));
        return command;
    }

    /** Ends the engine with all its containers; the machine's own goes on. */
    @Override
    public void close() throws IOException {
        if (process == null || directory == null) {
            return;
        }
        try {
            if (program.contains(PODMAN_PROGRAM)) {
                // There is no daemon whose end were the end of all.
                Running.complete(command("rm", "--all", "--force", "--time=0"), Bytes.of(""));
                if (program.contains("setpriv")) {
                    // It holds the namespaces of a user's.
                    Running.complete(command("system", "migrate"), Bytes.of(""));
                }
            }
            // It runs as long as its standard input is open.
            process.closeStdin();
            process.finish();
            Host.removeTree(directory);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            process.close();
        }
    }
}
