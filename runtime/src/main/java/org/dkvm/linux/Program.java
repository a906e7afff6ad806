// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Runs a program of the host to its end. */
public final class Program {
    private static final int MAX_OUTPUT_BYTES = 64 * 1024;

    /** For what a program that has ended wrote before. */
    private static final Duration LAST_WORDS = Duration.ofSeconds(2);

    /** As the launcher has them. */
    private static final List<String> USUAL_DIRECTORIES =
            List.of("/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin");

    /** What a program printed on both streams, and its exit code; -1 when it did not start or was ended for taking too long. */
    public record Result(int code, String output) {}

    private Program() {}

    /** Runs a command line. */
    public static Result run(List<String> command, Duration limit) {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectInput(
                            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .start();
            Thread killer = Thread.ofVirtual().start(() -> endAfter(process, limit));
            byte[] output = process.getInputStream().readNBytes(MAX_OUTPUT_BYTES);
            process.getInputStream().close();
            int code = process.waitFor();
            killer.interrupt();
            return new Result(code, new String(output, StandardCharsets.UTF_8).strip());
        } catch (IOException e) {
            return new Result(-1, String.valueOf(e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Result(-1, "interrupted");
        }
    }

    /**
     * The first bytes of what a program that only reads says on its standard output.
     *
     * @param most how many
     */
    public static byte[] output(List<String> command, int most) throws IOException {
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .start();
        try (InputStream in = process.getInputStream()) {
            return in.readNBytes(most);
        }
    }

    /** What a program that is asked something answered. */
    public static final class Answer {
        private final int code;
        private final byte[] output;
        private final String errors;

        private Answer(int code, byte[] output, String errors) {
            this.code = code;
            this.output = output;
            this.errors = errors;
        }

        private static Answer none(String why) {
            return new Answer(-1, new byte[0], why);
        }

        /** Its exit code; -1 when it did not start or was ended for taking too long. */
        public int code() {
            return code;
        }

        /** The first bytes of its standard output. */
        public byte[] output() {
            return output.clone();
        }

        /** The first bytes of its standard error, as text. */
        public String errors() {
            return errors;
        }
    }

    /**
     * Runs a command line whose output is not text. It returns in time also where a program that the command has started keeps the output open.
     *
     * @param most bytes of output, and of errors
     */
    public static Answer ask(List<String> command, Duration limit, int most) {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectInput(
                            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .start();
            FutureTask<byte[]> output = reading(process.getInputStream(), most);
            FutureTask<byte[]> errors = reading(process.getErrorStream(), most);
            if (!process.waitFor(limit.toNanos(), TimeUnit.NANOSECONDS)) {
                process.destroyForcibly();
                return Answer.none("");
            }
            byte[] said = output.get(LAST_WORDS.toNanos(), TimeUnit.NANOSECONDS);
            byte[] complained = errors.get(LAST_WORDS.toNanos(), TimeUnit.NANOSECONDS);
            return new Answer(process.exitValue(), said, new String(complained, StandardCharsets.UTF_8).strip());
        } catch (IOException | ExecutionException e) {
            return Answer.none(String.valueOf(e.getMessage()));
        } catch (TimeoutException e) {
            return Answer.none("");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Answer.none("interrupted");
        }
    }

    /** The first bytes, and no more: who writes on gets SIGPIPE. */
    private static FutureTask<byte[]> reading(InputStream stream, int most) {
        FutureTask<byte[]> task = new FutureTask<>(() -> {
            try (stream) {
                return stream.readNBytes(most);
            }
        });
        Thread.ofPlatform().daemon().start(task);
        return task;
    }

    private static void endAfter(Process process, Duration limit) {
        try {
            if (!process.waitFor(limit.toNanos(), TimeUnit.NANOSECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            // It ended by itself.
            Thread.currentThread().interrupt();
        }
    }

    /** A program's path: the first directory of PATH that has it, or else of those where programs usually are. */
    public static Optional<Path> find(String name) {
        List<String> directories = new ArrayList<>();
        String path = System.getenv("PATH");
        Collections.addAll(directories, path == null ? new String[0] : path.split(":", -1));
        directories.addAll(USUAL_DIRECTORIES);
        return find(name, directories);
    }

    /** A program's path: the first of the directories that has it. */
    public static Optional<Path> find(String name, List<String> directories) {
        for (String directory : directories) {
            Path candidate = Path.of(directory, name);
            if (Files.isExecutable(candidate)) {
                return Optional.of(candidate);
            }
        }
        return Optional.empty();
    }
}
