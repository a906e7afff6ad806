// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A docker client that runs, with open standard input and both outputs collected. */
final class Running implements Closeable {
    private final List<String> command;
    private final Process process;
    private final Output stdout;
    private final Output stderr;

    private Running(List<String> command, Process process, Output stdout, Output stderr) {
        this.command = command;
        this.process = process;
        this.stdout = stdout;
        this.stderr = stderr;
    }

    static Running start(List<String> command) throws IOException {
        Process process = new ProcessBuilder(command).start();
        return new Running(
                command, process, new Output(process.getInputStream()), new Output(process.getErrorStream()));
    }

    /** Runs the command to its end with that standard input. */
    static Outcome complete(List<String> command, Bytes stdin) throws IOException, InterruptedException {
        try (Running running = start(command)) {
            running.write(stdin);
            running.closeStdin();
            return running.finish();
        }
    }

    long pid() {
        return process.pid();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Writes in a thread of its own, which has the usual deadline: a client that reads nothing must not stop the case. */
    void write(Bytes input) throws InterruptedException {
        OutputStream stdin = process.getOutputStream();
        Thread writer = Thread.ofPlatform().daemon().name("e2e-stdin").start(() -> {
            try {
                stdin.write(input.toArray());
                stdin.flush();
            } catch (IOException e) {
                // The client has ended or closed its input: what it did with the rest shows in its outcome.
            }
        });
        writer.join(Settings.DEADLINE);
    }

    void write(String text) throws InterruptedException {
        write(Bytes.of(text));
    }

    void closeStdin() {
        try {
            process.getOutputStream().close();
        } catch (IOException e) {
            // Unwritten bytes of a client that has ended: the same as above.
        }
    }

    /** Waits until the text has come on standard output. */
    void awaitStdout(String text) throws InterruptedException {
        stdout.await(text, 1);
    }

    /** Waits until the text has come that many times on standard output. */
    void awaitStdout(String text, int times) throws InterruptedException {
        stdout.await(text, times);
    }

    void awaitStderr(String text) throws InterruptedException {
        stderr.await(text, 1);
    }

    /** Standard output so far, as text. */
    String stdoutSoFar() {
        return stdout.soFar().utf8();
    }

    /** Sends the client a signal: {@code INT}, {@code TERM}, {@code KILL} … */
    void signal(String name) throws IOException, InterruptedException {
        int code = new ProcessBuilder("/bin/kill", "-s", name, String.valueOf(process.pid()))
                .inheritIO()
                .start()
                .waitFor();
        if (code != 0) {
            throw new AssertionError("kill -s " + name + " of the client failed: " + shown());
        }
    }

    /** Waits for the client's end; kills it and fails when the deadline passes. */
    Outcome finish() throws InterruptedException {
        if (!process.waitFor(Settings.DEADLINE.toSeconds(), TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("did not end within " + Settings.DEADLINE.toSeconds() + " s: " + shown()
                    + "\n      stdout so far " + stdout.soFar() + "\n      stderr so far " + stderr.soFar());
        }
        return new Outcome(stdout.whole(), stderr.whole(), process.exitValue());
    }

    private String shown() {
        return Bytes.of(String.join(" ", command).getBytes(StandardCharsets.UTF_8))
                .toString();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
