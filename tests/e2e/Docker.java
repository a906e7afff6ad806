// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Docker as one side of a case sees it: every container runs under this side's runtime, every name is its own, and everything it
 * made goes away with it. What the steps observe is kept in the transcript, where this side's names read {@code {side}}.
 */
final class Docker {
    private static final String LABEL = "org.dkvm.e2e";

    private final Engine engine;
    private final String runtime;
    private final String side;
    private final AtomicInteger names;
    private final Transcript transcript;
    private final Map<String, String> aliases;
    private final List<List<String>> undo = new ArrayList<>();
    private final List<Path> directories = new ArrayList<>();
    private final List<Closeable> open = new ArrayList<>();

    Docker(String runtime) {
        this(runtime, Engine.MACHINES);
    }

    Docker(String runtime, Engine engine) {
        this.engine = engine;
        this.runtime = runtime;
        // As long on both sides, so that no output shifts; no text of an image holds it by chance.
        this.side = "e2e" + UUID.randomUUID().toString().substring(0, 8);
        this.names = new AtomicInteger();
        this.transcript = new Transcript();
        this.aliases = new ConcurrentHashMap<>();
        aliases.put(side, "{side}");
    }

    /** The same side with another runtime; the original cleans up for both. */
    private Docker(String runtime, Docker original) {
        this.engine = original.engine;
        this.runtime = runtime;
        this.side = original.side;
        this.names = original.names;
        this.transcript = original.transcript;
        this.aliases = original.aliases;
    }

    String runtime() {
        return runtime;
    }

    Transcript transcript() {
        return transcript;
    }

    /** A name nobody else uses, for whatever needs one. */
    String name() {
        return side + "-" + names.incrementAndGet();
    }

    // Running containers.

    /** {@code docker run --rm} with these options, image and command: must end with 0 under the reference. */
    Outcome run(String... arguments) throws Exception {
        return new Invocation(this).run(arguments);
    }

    /** A command that is to end with this code. */
    Invocation exits(int code) {
        return new Invocation(this).exits(code);
    }

    /** A command that is to fail, with a code that depends on the engine's version. */
    Invocation fails() {
        return new Invocation(this).fails();
    }

    /** A command that gets this standard input, and then its end. */
    Invocation stdin(Bytes input) {
        return new Invocation(this).stdin(input);
    }

    Invocation stdin(String input) {
        return stdin(Bytes.of(input));
    }

    /** {@code docker run -d}: the container has been started when this returns. */
    Container start(String... arguments) throws Exception {
        return make("run", "-d", arguments);
    }

    /** {@code docker run -d} under the reference, on either side: somebody else's container, for the subject to deal with. */
    Container peer(String... arguments) throws Exception {
        return new Docker(Settings.REFERENCE, this).start(arguments);
    }

    /** {@code docker create}. */
    Container create(String... arguments) throws Exception {
        return make("create", "--pull=never", arguments);
    }

    private Container make(String verb, String option, String... arguments) throws Exception {
        String name = name();
        List<String> command = client(verb, option);
        command.addAll(ownership(name));
        command.addAll(List.of(arguments));
        Outcome outcome = Running.complete(command, Bytes.of(""));
        if (outcome.exitCode() != 0) {
            throw new AssertionError(String.join(" ", command) + "\n      " + outcome);
        }
        alias(outcome.text(), "id");
        return new Container(this, name, outcome.text());
    }

    /** {@code docker run} in the foreground, whose client stays in the case's hands. */
    Running open(String... arguments) throws Exception {
        return keep(Running.start(runCommand(name(), arguments)));
    }

    /** {@code docker run} in the foreground under a name that the case has from {@link #name()}. */
    Running openNamed(String name, String... arguments) throws Exception {
        return keep(Running.start(runCommand(name, arguments)));
    }

    /** {@code docker run -t} with these options, on a terminal of this size. */
    Terminal terminal(int rows, int columns, String... arguments) throws Exception {
        return keep(Terminal.start(rows, columns, runCommand(name(), arguments)));
    }

    /** {@code docker run -t} under a name that the case has from {@link #name()}. */
    Terminal terminalNamed(String name, int rows, int columns, String... arguments) throws Exception {
        return keep(Terminal.start(rows, columns, runCommand(name, arguments)));
    }

    List<String> runCommand(String name, String... arguments) {
        List<String> command = client("run", "--rm");
        command.addAll(ownership(name));
        command.addAll(List.of(arguments));
        return command;
    }

    private List<String> ownership(String name) {
        return List.of("--runtime=" + runtime, "--name=" + name, "--label=" + LABEL + "=" + side);
    }

    // Other commands.

    /** {@code docker} with these arguments, observed: must end with 0 under the reference. */
    Outcome cli(String... arguments) throws Exception {
        return new Invocation(this).cli(arguments);
    }

    /** {@code docker} with these arguments, not observed; must end with 0 everywhere. Returns its standard output. */
    String quietly(String... arguments) throws Exception {
        Outcome outcome = attempt(arguments);
        if (outcome.exitCode() != 0) {
            throw new AssertionError("docker " + String.join(" ", arguments) + "\n      " + outcome);
        }
        return outcome.text();
    }

    /** {@code docker} with these arguments, not observed, whatever comes of it. */
    Outcome attempt(String... arguments) throws Exception {
        return Running.complete(client(arguments), Bytes.of(""));
    }

    /** {@code docker} with these arguments, whose client stays in the case's hands. */
    Running openCli(String... arguments) throws Exception {
        return keep(Running.start(client(arguments)));
    }

    /** {@code docker} with these arguments on a terminal. */
    Terminal terminalCli(int rows, int columns, String... arguments) throws Exception {
        return keep(Terminal.start(rows, columns, client(arguments)));
    }

    /** The client's command line for this side's engine. */
    List<String> client(String... arguments) {
        return engine.command(arguments);
    }

    // What containers use.

    /** A named volume. */
    String volume(String... options) throws Exception {
        return made("volume", "rm", options);
    }

    /** A user-defined network. */
    String network(String... options) throws Exception {
        return made("network", "rm", options);
    }

    private synchronized String made(String noun, String undoVerb, String... options) throws Exception {
        String name = name();
        List<String> arguments = new ArrayList<>(List.of(noun, "create"));
        arguments.addAll(List.of(options));
        arguments.add(name);
        quietly(arguments.toArray(String[]::new));
        undo.add(0, List.of(noun, undoVerb, name));
        return name;
    }

    /** An image that the case makes by {@code docker build} from this Dockerfile, with no files but it. */
    synchronized String image(String dockerfile, String... options) throws Exception {
        String name = name();
        undo.add(List.of("image", "rm", "-f", name));
        List<String> arguments = new ArrayList<>(List.of("build", "-q", "-t", name));
        arguments.addAll(List.of(options));
        arguments.add("-");
        Outcome outcome = Running.complete(client(arguments.toArray(String[]::new)), Bytes.of(dockerfile));
        if (outcome.exitCode() != 0) {
            throw new AssertionError("docker build\n      " + outcome);
        }
        return name;
    }

    /** A new name for an image that a step makes. */
    synchronized String imageName() {
        String name = name();
        undo.add(List.of("image", "rm", "-f", name));
        return name;
    }

    /** A fresh directory of the host, mode 0755. */
    synchronized Path directory() throws IOException {
        Path directory = Files.createDirectory(Path.of(System.getProperty("java.io.tmpdir"), name()));
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        directories.add(directory);
        return directory;
    }

    // Observing.

    /** Keeps something the case saw. */
    void note(String label, Object value) {
        transcript.add(new Transcript.Fact(hide(label), hide(String.valueOf(value))));
    }

    /** Keeps the outcome of a command the case ran by hand. */
    Outcome note(String label, Outcome outcome) {
        Outcome shown = new Outcome(hide(outcome.stdout()), hide(outcome.stderr()), outcome.exitCode());
        transcript.add(new Transcript.Step(hide(label), shown));
        return outcome;
    }

    /** From now on this text, which differs by nature, reads as {@code {meaning}} in what is observed. */
    void alias(String text, String meaning) {
        if (!text.isEmpty()) {
            aliases.put(text, "{" + meaning + "}");
            if (text.matches("[0-9a-f]{64}")) {
                aliases.put(text.substring(0, 12), "{" + meaning + "}");
            }
        }
    }

    /** The text as it is observed. */
    String hide(String text) {
        String shown = text;
        for (Map.Entry<String, String> alias : longestFirst()) {
            shown = shown.replace(alias.getKey(), alias.getValue());
        }
        return shown;
    }

    private Bytes hide(Bytes text) {
        Bytes shown = text;
        for (Map.Entry<String, String> alias : longestFirst()) {
            shown = shown.replace(alias.getKey(), alias.getValue());
        }
        return shown;
    }

    private List<Map.Entry<String, String>> longestFirst() {
        List<Map.Entry<String, String>> sorted = new ArrayList<>(new HashMap<>(aliases).entrySet());
        sorted.sort((a, b) -> b.getKey().length() - a.getKey().length());
        return sorted;
    }

    private synchronized <T extends Closeable> T keep(T resource) {
        open.add(resource);
        return resource;
    }

    // Cleaning up.

    /** Removes containers, networks, volumes, images and directories; fails when the engine could not. */
    synchronized void cleanUp() throws Exception {
        List<String> failures = new ArrayList<>();
        for (Closeable resource : open) {
            try {
                resource.close();
            } catch (IOException e) {
                failures.add(e.toString());
            }
        }
        String containers = quietly("ps", "-aq", "--filter", "label=" + LABEL + "=" + side);
        if (!containers.isEmpty()) {
            List<String> remove = new ArrayList<>(List.of("rm", "-f", "-v"));
            remove.addAll(containers.lines().toList());
            undo.add(0, remove);
        }
        for (List<String> command : undo) {
            Outcome outcome = attempt(command.toArray(String[]::new));
            // A container that --rm is just removing, or an image that no step made, is no failure.
            if (outcome.exitCode() != 0 && !outcome.errors().matches("(?is).*(no such|already in progress).*")) {
                failures.add(String.join(" ", command) + ": " + outcome.errors());
            }
        }
        for (Path directory : directories) {
            Host.removeTree(directory);
        }
        if (!failures.isEmpty()) {
            throw new AssertionError("what the case made could not be removed: " + String.join("; ", failures));
        }
    }
}
