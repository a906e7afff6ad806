// SPDX-License-Identifier: Apache-2.0
package org.dkvm.install;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The scripts of the package in packages of a few bytes, on a host of a few programs: those that change files count their calls, and may kill the script, with all it has
 * started, instead of the n-th.
 */
final class StandIn {
    static final int KILLED = 128 + 9;

    private static final List<String> SCRIPTS = List.of(
            "dkvm-common.sh", "dkvm-addon.sh", "dkvm-upgrade.sh", "dkvm-uninstall.sh", "dkvm-install-runtime.sh");

    private final Path directory;
    private final Path tools;

    StandIn(Path directory) throws IOException {
        this.directory = directory;
        tools = Files.createDirectories(directory.resolve("tools"));
        script(tools.resolve("id"), "echo 0");
        script(tools.resolve("docker"), "[ \"$1\" != ps ] || echo 1; [ \"$1\" != inspect ] || echo /kept");
        for (String program : List.of("mv", "ln", "rm", "cp", "mkdir")) {
            // What is the host's own stays.
            script(tools.resolve(program), """
                    case "$*" in *' /run/dkvm '*) exit 0 ;; esac
                    if [ -n "$KILL_AT" ]; then
                        calls=$(($(cat "$CALLS" 2>/dev/null || echo 0) + 1))
                        echo "$calls" >"$CALLS"
                        [ "$calls" != "$KILL_AT" ] || kill -9 0
                    fi
                    exec /bin/%s "$@"
                    """.formatted(program));
        }
    }

    /** What a script ended with and printed. */
    record Result(int code, String output) {}

    /** A package of a version. */
    Path pack(String version, String build, String date) throws IOException {
        Path home = directory.resolve("package-" + version + "-" + build);
        for (String script : SCRIPTS) {
            copy(Path.of("package", script), home.resolve("scripts").resolve(script));
        }
        script(home.resolve("scripts/dkvm-runtime"), "echo " + version);
        // java, of which only the answer is looked at.
        script(home.resolve("sandbox/lib64/ld-linux-x86-64.so.2"), "echo unchanged");
        text(home.resolve("sandbox/opt/dkvm/jre/bin/java"), "");
        text(home.resolve("sandbox/opt/dkvm/lib/dkvm.jar"), "");
        text(home.resolve("kernels/dkvm/1/.shipped"), "");
        Files.createSymbolicLink(home.resolve("kernels/dkvm/latest"), Path.of("1"));
        text(home.resolve("guest/initramfs"), "agent " + version);
        text(home.resolve("share/man/man1/dkvm.1"), "");
        script(home.resolve("bin/dkvm"), "for last; do :; done; echo \"agent " + version + "\" >\"$last\"");
        script(home.resolve("lib/dkvm-files"), """
                [ "$1" != lock ] || exec flock -n "$2"
                mkdir "$3"
                for file in "$2"/*; do cp -a "$file" "$3/"; done
                """);
        text(home.resolve("VERSION"), version + "\n");
        text(home.resolve("BUILD"), version + "\n" + date + "\n" + build + "-rest\n");
        return home;
    }

    /** Runs a script of a package or an installation; {@code killAt} 0 lets it live. */
    Result run(int killAt, Path script, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("setsid", "sh", script.toString()));
        command.addAll(List.of(arguments));
        Path calls = directory.resolve("calls");
        Files.deleteIfExists(calls);
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment()
                .putAll(Map.of(
                        "PATH",
                        tools + ":" + System.getenv("PATH"),
                        "CALLS",
                        calls.toString(),
                        "KILL_AT",
                        killAt == 0 ? "" : Integer.toString(killAt)));
        Path log = directory.resolve("log");
        Process process = builder.redirectOutput(log.toFile()).start();
        if (!process.waitFor(1, TimeUnit.MINUTES)) {
            process.destroyForcibly();
        }
        return new Result(process.waitFor(), Files.readString(log, StandardCharsets.UTF_8));
    }

    static void text(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    static void script(Path file, String text) throws IOException {
        text(file, "#!/bin/sh\n" + text + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to.getParent());
        Files.copy(from, to, StandardCopyOption.COPY_ATTRIBUTES);
    }

    /** A tree as it is, links as links. */
    static void copyTree(Path from, Path to) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("cp", "-a", from.toString(), to.toString())
                .inheritIO()
                .start();
        if (process.waitFor() != 0) {
            throw new IOException("cp failed");
        }
    }

    /** The names in a directory, hidden ones too; none of one that is not there. */
    static List<String> names(Path in) throws IOException {
        if (!Files.isDirectory(in)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(in)) {
            return entries.map(entry -> String.valueOf(entry.getFileName()))
                    .sorted()
                    .toList();
        }
    }
}
