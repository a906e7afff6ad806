// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What the cases do on the host beside Docker. */
final class Host {
    private static final Pattern PACKAGE = Pattern.compile("linux-image-([^_]+)_.*\\.deb");

    private Host() {}

    /** Runs a program of the host; fails unless it ends with 0. Returns its standard output. */
    static String run(String... command) throws IOException, InterruptedException {
        Outcome outcome = Running.complete(List.of(command), Bytes.of(""));
        if (outcome.exitCode() != 0) {
            throw new AssertionError(String.join(" ", command) + "\n      " + outcome);
        }
        return outcome.text();
    }

    /** Owner, mode, size and kind of a file, as {@code stat} shows them: 0:0 644 12 regular file. */
    static String stat(Path file) throws IOException, InterruptedException {
        return run("stat", "-c", "%u:%g %a %s %F", file.toString());
    }

    /** The port number in what {@code docker port} says: {@code 127.0.0.1:32768}, perhaps in several lines. */
    static int port(String published) {
        String first = published.lines().findFirst().orElseThrow();
        return Integer.parseInt(first.substring(first.lastIndexOf(':') + 1));
    }

    /** The administrator's command, whatever it ends with. */
    static Outcome dkvm(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(Settings.COMMAND));
        command.addAll(List.of(arguments));
        return Running.complete(command, Bytes.of(""));
    }

    /** The package of a Debian suite's kernel: {@code cloud-amd64}, for virtual machines, or {@code amd64}, for all kinds of machines. */
    static Path kernelPackage(String suite, String flavour) throws IOException, InterruptedException {
        return Path.of(run("tests/images/kernel-package.sh", suite, flavour).strip());
    }

    /** The release of such a package's kernel, 6.1.0-56-cloud-amd64 out of linux-image-6.1.0-56-cloud-amd64_6.1.192-2_amd64.deb. */
    static String kernelRelease(Path deb) {
        Matcher matcher = PACKAGE.matcher(deb.getFileName().toString());
        if (!matcher.matches()) {
            throw new AssertionError(deb + " is no package of a kernel");
        }
        return matcher.group(1);
    }

    /** Removes a directory with all below it; what a guest made unreadable too, as the suite runs as root. */
    static void removeTree(Path directory) throws IOException {
        Files.walkFileTree(directory, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.deleteIfExists(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException e) throws IOException {
                if (e != null) {
                    throw e;
                }
                Files.deleteIfExists(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
