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
import java.util.concurrent.TimeUnit;

/** Runs a program of the host to its end. */
public final class Program {
    private static final int MAX_OUTPUT_BYTES = 64 * 1024;

    /** As the launcher has them. */
    private static final List<String> USUAL_DIRECTORIES =
            List.of("/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin");

    /** What a program printed on both streams, and its exit code; -1 when it did not start or was ended for taking too long. */
    public record Result(int code, String output) {}

    private Program() {}

    /** The JDK's helper program for starting others is linked to the host's libc, which may not be ours: fork without it. */
    public static void startWithoutHelper() {
        System.setProperty("jdk.lang.Process.launchMechanism", "FORK");
    }

    /** Runs a command line. */
    public static Result run(List<String> command, Duration limit) {
        startWithoutHelper();
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
        startWithoutHelper();
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .start();
        try (InputStream in = process.getInputStream()) {
            return in.readNBytes(most);
        }
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
