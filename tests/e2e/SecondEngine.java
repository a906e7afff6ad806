// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static java.nio.file.attribute.PosixFilePermissions.asFileAttribute;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.opentest4j.TestAbortedException;

/**
 * A Docker engine of a case's own: with its own files and socket, and in a network namespace of its own, so that it disturbs neither the engine under test nor the host.
 * Its default runtime is that under test.
 */
final class SecondEngine implements Closeable {
    /** The one address of its namespace beside the loopback. */
    static final String ADDRESS = "10.231.0.1";

    /** Where package/docker-engine.sh puts an iptables that works, if Debian's does not. */
    private static final String IPTABLES = "/run/dkvm-docker-engine/bin";

    private final Path directory;
    /** Holds the network namespace, also while no engine runs in it. */
    private final Running network;

    private Process process;

    private SecondEngine(Path directory, Running network, Process process) {
        this.directory = directory;
        this.network = network;
        this.process = process;
    }

    /** Starts one that has these images of the first, and no bridge. */
    static SecondEngine start(String runtime, String... images) throws Exception {
        return startWith("\"bridge\": \"none\"", runtime, images);
    }

    /**
     * The same with a setting of one's own.
     *
     * @param setting a member of daemon.json
     */
    static SecondEngine startWith(String setting, String runtime, String... images) throws Exception {
        if (Running.complete(List.of("sh", "-c", "command -v dockerd"), Bytes.of(""))
                        .exitCode()
                != 0) {
            throw new TestAbortedException("there is no dockerd on PATH to start a second engine with");
        }
        // Short, as the paths of sockets are bounded.
        Path directory =
                Files.createTempDirectory("dkvm-engine", asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Files.writeString(directory.resolve("daemon.json"), """
                {"default-runtime": "%s", "data-root": "%s/data", "exec-root": "%<s/exec",
                 "pidfile": "%<s/pid", "hosts": ["unix://%<s/sock"], %s,
                 "runtimes": {"dkvm": {"path": "/opt/dkvm/scripts/dkvm-runtime"}}}
                """.formatted(runtime, directory, setting));
        Running network = Running.start(List.of("unshare", "--net", "sh", "-ec", """
                        ip link set lo up
                        ip link add swarm0 type bridge
                        ip address add "$1/24" dev swarm0
                        ip link set swarm0 up
                        echo ready
                        exec sleep infinity
                        """, "sh", ADDRESS));
        network.awaitStdout("ready");
        SecondEngine engine = new SecondEngine(directory, network, launch(directory, network));
        try {
            engine.await();
            for (String image : images) {
                Host.run("sh", "-c", "docker save " + image + " | docker --host " + engine.host() + " load");
            }
            return engine;
        } catch (Exception | Error e) {
            engine.close();
            throw e;
        }
    }

    private static Process launch(Path directory, Running network) throws IOException {
        return new ProcessBuilder(
                        "nsenter",
                        "--net=/proc/" + network.pid() + "/ns/net",
                        "sh",
                        "-ec",
                        "PATH=$2:$PATH exec dockerd --config-file \"$1\"",
                        "sh",
                        directory.resolve("daemon.json").toString(),
                        IPTABLES)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        directory.resolve("log").toFile()))
                .start();
    }

    /** Ends the engine's own process by a signal; its containers may live on. */
    void end(String signal) throws Exception {
        Host.run("/bin/kill", "-s", signal, String.valueOf(process.pid()));
        if (!process.waitFor(Settings.DEADLINE.toSeconds(), TimeUnit.SECONDS)) {
            throw new AssertionError("the second engine did not end by SIG" + signal);
        }
        if (signal.equals("KILL")) {
            // Its containerd dies with it; one that is still dying would be waited for in vain by the next engine.
            Path known = containerdPid();
            String pid = Files.readString(known).strip();
            Deadline.await("the end of containerd", () -> commandLine(pid).isEmpty());
            Files.delete(known);
        }
    }

    /** Empty where a process has ended, be it reaped or not. */
    private static String commandLine(String pid) {
        try {
            return Files.readString(Path.of("/proc", pid, "cmdline"));
        } catch (IOException e) {
            return "";
        }
    }

    private Path containerdPid() {
        return directory.resolve("exec/containerd/containerd.pid");
    }

    /** The engine that was ended runs again. */
    void startAgain() throws Exception {
        process = launch(directory, network);
        await();
    }

    /** Kills the engine's containerd, which the engine starts again. */
    void killContainerd() throws Exception {
        Path known = containerdPid();
        String pid = Files.readString(known).strip();
        Host.run("/bin/kill", "-s", "KILL", pid);
        Deadline.await("another containerd", () -> {
            String now = Files.exists(known) ? Files.readString(known).strip() : "";
            return !now.isEmpty() && !now.equals(pid);
        });
    }

    private void await() throws Exception {
        Deadline.await("a second engine answers", () -> {
            if (!process.isAlive()) {
                throw new AssertionError("a second dockerd ended: " + Files.readString(directory.resolve("log")));
            }
            return attempt("info").exitCode() == 0;
        });
    }

    private String host() {
        return "unix://" + directory.resolve("sock");
    }

    /** {@code docker} of this engine; must end with 0. Returns its standard output. */
    String docker(String... arguments) throws Exception {
        Outcome outcome = attempt(arguments);
        if (outcome.exitCode() != 0) {
            throw new AssertionError("docker " + String.join(" ", arguments) + "\n      " + outcome);
        }
        return outcome.text();
    }

    /** The same, whatever comes of it. */
    Outcome attempt(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of("docker", "--host", host()));
        command.addAll(List.of(arguments));
        return Running.complete(command, Bytes.of(""));
    }

    /** A program in the engine's network namespace, whatever comes of it. */
    Outcome inNetwork(String... command) throws Exception {
        List<String> words = new ArrayList<>(List.of("nsenter", "--net=/proc/" + network.pid() + "/ns/net"));
        words.addAll(List.of(command));
        return Running.complete(words, Bytes.of(""));
    }

    /** Ends the engine and its containers, and removes its files. */
    @Override
    public void close() throws IOException {
        try {
            removeContainers();
            process.destroy();
            if (!process.waitFor(Settings.DEADLINE.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException("the second engine did not end; its log is in " + directory);
            }
            // What an engine leaves mounted of its own.
            Running.complete(
                    List.of(
                            "sh",
                            "-c",
                            "awk -v d=" + directory
                                    + " 'index($2, d) == 1 { print $2 }' /proc/self/mounts | sort -r | xargs -r umount -l"),
                    Bytes.of(""));
        } catch (InterruptedException e) {
            throw new IOException(e);
        } finally {
            network.close();
        }
        Host.removeTree(directory);
    }

    /** An engine with live-restore leaves its containers behind; one that a case killed has to come back for that. */
    private void removeContainers() throws IOException, InterruptedException {
        if (!process.isAlive() && Files.exists(directory.resolve("exec"))) {
            process = launch(directory, network);
        }
        Running.complete(
                List.of(
                        "sh",
                        "-c",
                        "while kill -0 $2 2>/dev/null && ! docker --host $1 info >/dev/null 2>&1; do sleep 0.1; done\n"
                                + "docker --host $1 ps -aq | xargs -r docker --host $1 rm -f -v",
                        "sh",
                        host(),
                        String.valueOf(process.pid())),
                Bytes.of(""));
    }
}
