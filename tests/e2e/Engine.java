// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.opentest4j.TestAbortedException;

/** A Docker engine: the machine's own, or a newer one that tests/engines/engine.sh runs beside it, with a network of its own. */
final class Engine implements Closeable {
    /** The engine that the environment names. */
    static final Engine MACHINES = new Engine(List.of(), null, null);

    private static final String SCRIPT = "tests/engines/engine.sh";
    /** Where an engine's data can be: not in /tmp, which may be memory. */
    private static final Path DATA = Path.of("/var/lib");

    private final List<String> options;
    private final @Nullable Running process;
    private final @Nullable Path directory;

    private Engine(List<String> options, @Nullable Running process, @Nullable Path directory) {
        this.options = options;
        this.process = process;
        this.directory = directory;
    }

    /** Starts the engine of a Debian suite and gives it these images of the machine's; skips the case where there is none of it. */
    static Engine start(String suite, String... images) throws Exception {
        Path directory = Files.createTempDirectory(DATA, "dkvm-engine-");
        String socket = "unix://" + directory.resolve("docker.sock");
        Running process = Running.start(List.of(SCRIPT, "run", suite, directory.toString()));
        Engine engine = new Engine(List.of("--host", socket), process, directory);
        try {
            Deadline.await("the engine of " + suite + " answers", () -> engine.answers(process));
            List<String> copy = new ArrayList<>(List.of("docker", "save"));
            copy.addAll(List.of(images));
            Host.run("sh", "-c", String.join(" ", copy) + " | docker --host " + socket + " load");
        } catch (Exception | AssertionError e) {
            engine.close();
            throw e;
        }
        return engine;
    }

    private boolean answers(Running running) throws Exception {
        if (!running.isAlive()) {
            Outcome outcome = running.finish();
            if (outcome.errors().contains("no engine from")) {
                throw new TestAbortedException(outcome.errors());
            }
            throw new AssertionError("the engine ended: " + outcome + log());
        }
        return Running.complete(command("info"), Bytes.of("")).exitCode() == 0;
    }

    private String log() throws IOException {
        Path log = directory == null ? Path.of("/dev/null") : directory.resolve("dockerd.log");
        return Files.exists(log) ? "\n" + Files.readString(log) : "";
    }

    /** The client's command line for this engine. */
    List<String> command(String... arguments) {
        List<String> command = new ArrayList<>(List.of("docker"));
        command.addAll(options);
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
