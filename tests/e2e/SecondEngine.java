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
    private final Process process;

    private SecondEngine(Path directory, Process process) {
        this.directory = directory;
        this.process = process;
    }

    /** Starts one that has these images of the first. */
    static SecondEngine start(String runtime, String... images) throws Exception {
        if (Running.complete(List.of("sh", "-c", "command -v dockerd"), Bytes.of(""))
                        .exitCode()
                != 0) {
            throw new TestAbortedException("there is no dockerd on PATH to start a second engine with");
        }
        // Short, as the paths of sockets are bounded.
        Path directory =
                Files.createTempDirectory("dkvm-engine", asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Files.writeString(directory.resolve("daemon.json"), """
                {"default-runtime": "%s", "bridge": "none", "data-root": "%s/data", "exec-root": "%<s/exec",
                 "pidfile": "%<s/pid", "hosts": ["unix://%<s/sock"],
                 "runtimes": {"dkvm": {"path": "/opt/dkvm/scripts/dkvm-runtime"}}}
                """.formatted(runtime, directory));
        ProcessBuilder builder = new ProcessBuilder(
                        "unshare",
                        "--net",
                        "sh",
                        "-ec",
                        """
                        ip link set lo up
                        ip link add swarm0 type bridge
                        ip address add "$2/24" dev swarm0
                        ip link set swarm0 up
                        PATH=$3:$PATH exec dockerd --config-file "$1"
                        """,
                        "sh",
                        directory.resolve("daemon.json").toString(),
                        ADDRESS,
                        IPTABLES)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile());
        SecondEngine engine = new SecondEngine(directory, builder.start());
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
        List<String> words = new ArrayList<>(List.of("nsenter", "--net=/proc/" + process.pid() + "/ns/net"));
        words.addAll(List.of(command));
        return Running.complete(words, Bytes.of(""));
    }

    /** Ends the engine, which ends its containers, and removes its files. */
    @Override
    public void close() throws IOException {
        process.destroy();
        try {
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
        }
        Host.removeTree(directory);
    }
}
