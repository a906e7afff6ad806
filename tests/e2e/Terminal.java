// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A docker client on a real terminal: what a person at a keyboard sees and does. */
final class Terminal implements Closeable {
    private final Pty pty;
    private final Process process;
    private final Output screen;
    private boolean closed;

    private Terminal(Pty pty, Process process) {
        this.pty = pty;
        this.process = process;
        this.screen = new Output(pty.input());
    }

    static Terminal start(int rows, int columns, List<String> command) throws IOException {
        Pty pty = Pty.open(rows, columns);
        // The shell opens the terminal, so that it can not become this JVM's own; setsid makes it the client's.
        List<String> words = new ArrayList<>(
                List.of("/bin/sh", "-c", "exec setsid --ctty \"$@\" <\"$0\" >\"$0\" 2>\"$0\"", pty.slave()));
        words.addAll(command);
        return new Terminal(pty, new ProcessBuilder(words).start());
    }

    long pid() {
        return process.pid();
    }

    /** Presses keys. */
    void type(String keys) throws IOException {
        pty.output().write(Bytes.of(keys).toArray());
    }

    /** Presses Enter after a line. */
    void enter(String line) throws IOException {
        type(line + "\r");
    }

    /** Presses a letter with Ctrl held: {@code 'C'}. */
    void control(char letter) throws IOException {
        type(String.valueOf((char) (letter & 0x1f)));
    }

    void resize(int rows, int columns) throws IOException {
        pty.resize(rows, columns);
    }

    /**
     * Changes the size until the text is on the screen. Docker's client listens for the signal only a moment after it has shown
     * the first output: one change may go unnoticed.
     */
    void resizeUntil(int rows, int columns, String text) throws Exception {
        resize(rows, columns);
        Deadline.await("\"" + text + "\" after a resize", () -> {
            Thread.sleep(500);
            if (screen.soFar().utf8().contains(text)) {
                return true;
            }
            resize(rows + 1, columns);
            resize(rows, columns);
            return false;
        });
    }

    /** Waits until the text has been on the screen. */
    void await(String text) throws InterruptedException {
        screen.await(text, 1);
    }

    /** Waits until the text has been on the screen that many times. */
    void await(String text, int times) throws InterruptedException {
        screen.await(text, times);
    }

    /** All that came so far. */
    Bytes soFar() {
        return screen.soFar();
    }

    /** Waits for the client's end. What was on the screen is the outcome's standard output. */
    Outcome finish() throws InterruptedException {
        if (!process.waitFor(Settings.DEADLINE.toSeconds(), TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("the client on the terminal did not end within " + Settings.DEADLINE.toSeconds()
                    + " s; on the screen " + screen.soFar());
        }
        return new Outcome(screen.whole(), Bytes.of(""), process.exitValue());
    }

    @Override
    public synchronized void close() throws IOException {
        if (closed) {
            return;
        }
        closed = true;
        process.destroyForcibly();
        // With its last program gone the terminal ends for the reader, and only then may the master be closed.
        try {
            screen.whole();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        pty.close();
    }
}
