// SPDX-License-Identifier: Apache-2.0
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs programs. */
final class Command {
    private static final int DEADLINE_SECONDS = 900;

    private Command() {}

    /** What it printed on stdout; anything but exit code 0 is an error. */
    static String output(String... command) throws IOException, InterruptedException {
        Path out = Files.createTempFile("dkvm-bench", ".out");
        Path err = Files.createTempFile("dkvm-bench", ".err");
        try {
            Process process = new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile()).redirectInput(Path.of("/dev/null").toFile()).start();
            if (!process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException("no end after " + DEADLINE_SECONDS + " s: " + String.join(" ", command));
            }
            if (process.exitValue() != 0) {
                throw new IOException("exit code " + process.exitValue() + " of " + String.join(" ", command) + ": " + Files.readString(err, StandardCharsets.ISO_8859_1).strip());
            }
            return Files.readString(out, StandardCharsets.UTF_8).strip();
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }

    /** As {@link #output(String...)}. */
    static String output(List<String> command) throws IOException, InterruptedException {
        return output(command.toArray(String[]::new));
    }

    /** The time it takes from start to end, in milliseconds. */
    static double millis(String... command) throws IOException, InterruptedException {
        long start = System.nanoTime();
        output(command);
        return (System.nanoTime() - start) / 1e6;
    }
}
