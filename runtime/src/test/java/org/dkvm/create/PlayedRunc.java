// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/** A script in runc's place: it plays the sandbox's program itself, writes down what it was called for, and is killed by "delete". */
final class PlayedRunc {
    private PlayedRunc() {}

    /** Makes it. */
    static Path write(Path directory, String program) throws IOException {
        Path runc = directory.resolve("runc.sh");
        Path calls = directory.resolve("calls");
        Files.writeString(
                runc,
                """
                #!/bin/sh
                # --root R run --bundle B ID, or --root R delete --force ID
                echo "$3 ${5##*/}" >>"%s"
                if [ "$3" = delete ]; then
                    [ ! -f "%s.$5" ] || kill -KILL "$(cat "%s.$5")"
                    rm -f "%s.$5"
                    exit 0
                fi
                echo $$ >"%s.$6"
                cp "$5/config.json" "%s"
                """.formatted(calls, calls, calls, calls, calls, directory.resolve("spec.json")) + program + "\n");
        Files.setPosixFilePermissions(runc, PosixFilePermissions.fromString("rwxr-xr-x"));
        return runc;
    }

    /** How often it has run a sandbox. */
    static int runs(Path directory) throws IOException {
        Path calls = directory.resolve("calls");
        List<String> lines = Files.exists(calls) ? Files.readAllLines(calls) : List.of();
        return (int) lines.stream().filter(line -> line.startsWith("run ")).count();
    }

    /** Every sandbox was deleted, and its bundle is gone. */
    static void assertNothingLeft(Path directory) throws IOException {
        List<String> lines = Files.readAllLines(directory.resolve("calls"));
        assertThat(lines.stream().filter(line -> line.startsWith("run ")).map(line -> line.substring(4)))
                .isNotEmpty()
                .allMatch(id -> lines.contains("delete " + id));
        try (var left = Files.list(directory.resolve("jobs"))) {
            assertThat(left.map(path -> path.getFileName().toString())).containsOnly(".lock");
        }
    }
}
