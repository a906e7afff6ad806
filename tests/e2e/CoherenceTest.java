// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Images.TOOLS;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/** What a guest remembers of files: not longer than a second after somebody else has changed them, and no more than the host has room for. */
@EndToEnd
class CoherenceTest {
    private static final List<String> NAMES =
            List.of("rewritten", "set-back", "appended", "truncated", "renamed", "neighbours");

    /** Each file by read(2), by a mapping of a new open, and with a shell as its interpreter; then a program and a library. */
    private static final String LOOK = """
            cat >/look <<'END'
            import ctypes, mmap, subprocess
            for name in ["rewritten", "set-back", "appended", "truncated", "renamed", "neighbours"]:
                path = "/v/" + name
                read = open(path).read()
                with open(path) as f: mapped = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)[:].decode()
                print(name, len(read), read == mapped, repr(read[-24:]), subprocess.run([path], capture_output=True, text=True).stdout)
            print("bound", open("/etc/bound").read().strip(), subprocess.run(["/etc/bound"], capture_output=True, text=True).stdout)
            print("program in the image", subprocess.run(["/program"]).returncode)
            print("program on the volume", subprocess.run(["/v/program"]).returncode)
            library = ctypes.CDLL("/v/library.so")
            print("library", hasattr(library, "cosl"), hasattr(library, "crc32"))
            END
            """;

    @Test
    void whatOthersChangeIsSeenAfterASecond() throws Exception {
        assertSame(docker -> {
            Path directory = docker.directory();
            Path bound = docker.directory().resolve("bound");
            for (String name : NAMES) {
                program(directory.resolve(name), "the first content");
            }
            program(bound, "the first content");
            Container container = docker.start(
                    "-v",
                    directory + ":/v",
                    "-v",
                    bound + ":/etc/bound",
                    TOOLS,
                    "sh",
                    "-c",
                    LOOK
                            + "cp /bin/true /v/program; cp /bin/true /program; cp /lib/x86_64-linux-gnu/libm.so.6 /v/library.so; echo ready; exec sleep 1000");
            container.awaitLog("ready");
            container.exec("python3", "/look");
            change(docker, container, directory, bound);
            later(container);
            docker.run(
                    "-v",
                    directory + ":/v",
                    TOOLS,
                    "sh",
                    "-c",
                    "printf '#!/bin/sh\\necho the third content\\n' >/v/neighbours; rm /v/renamed; mv /v/rewritten /v/renamed; cp /v/renamed /v/rewritten");
            later(container);
        });
    }

    private static void program(Path file, String says) throws IOException {
        Files.writeString(file, "#!/bin/sh\necho " + says + "\n");
        assertThat(file.toFile().setExecutable(true, false)).isTrue();
    }

    /** On the host, each in its own way, while the guest has all of them in its memory. */
    private static void change(Docker docker, Container container, Path directory, Path bound) throws Exception {
        Path other = docker.directory();
        program(directory.resolve("rewritten"), "the other content");
        var before = Files.getLastModifiedTime(directory.resolve("set-back"));
        program(directory.resolve("set-back"), "the other content");
        Files.setLastModifiedTime(directory.resolve("set-back"), before);
        Files.writeString(directory.resolve("appended"), "echo and the other\n", StandardOpenOption.APPEND);
        try (var file = Files.newByteChannel(directory.resolve("truncated"), StandardOpenOption.WRITE)) {
            file.truncate("#!/bin/sh\necho the".length());
        }
        program(other.resolve("renamed"), "the other content");
        Files.move(other.resolve("renamed"), directory.resolve("renamed"), StandardCopyOption.REPLACE_EXISTING);
        program(bound, "the other content");
        docker.quietly(
                "cp", container.name() + ":/bin/false", other.resolve("false").toString());
        docker.quietly("cp", other.resolve("false").toString(), container.name() + ":/program");
        docker.quietly(
                "cp",
                "-L",
                container.name() + ":/lib/x86_64-linux-gnu/libz.so.1",
                other.resolve("libz.so").toString());
        overwrite(other.resolve("false"), directory.resolve("program"));
        overwrite(other.resolve("libz.so"), directory.resolve("library.so"));
    }

    /** The same file with the same size has another content. */
    private static void overwrite(Path content, Path file) throws IOException {
        byte[] bytes = java.util.Arrays.copyOf(Files.readAllBytes(content), (int) Files.size(file));
        Files.write(file, bytes, StandardOpenOption.WRITE);
    }

    /** A second and a bit: the time after which the promise holds. */
    private static void later(Container container) throws Exception {
        container.exec("sh", "-c", "sleep 1.1; python3 /look");
    }

    @Test
    void moreFilesThanTheHostLetsBeOpenAreLookedAt() throws Exception {
        assertSame(docker -> {
            Path directory = docker.directory();
            fill(directory, 20);
            Container container = docker.start("-v", directory + ":/v", TOOLS, "sleep", "1000");
            lower(container, 2000);
            for (int i = 0; i < 2; i++) {
                container.exec("sh", "-c", "find /v -type f -size 0 | wc -l; ls -lR /v | wc -l");
            }
            container.exec("sh", "-c", "cat /etc/debian_version >/dev/null && python3 -c 'print(6 * 7)'");
            docker.cli("stop", container.name());
            docker.note("exit code", container.inspect("{{.State.ExitCode}}"));
        });
    }

    /** Faster than the monitor can look: walks at once, beside names that are made. */
    @Test
    void walksAndMakersLoseNothingHoweverFewFilesMayBeOpen() throws Exception {
        assertSame(docker -> {
            Path directory = docker.directory();
            fill(directory, 40);
            Container container = docker.start("-v", directory + ":/v", TOOLS, "sleep", "1000");
            lower(container, 600);
            container.exec("sh", "-c", """
                    for walk in 1 2 3; do (for turn in 1 2; do find /v -type f -size 0 | wc -l; done) & done
                    for i in $(seq 100); do
                        mkdir /made-$i && ln -s f /made-$i/s && echo $i >/made-$i/f && ln /made-$i/f /made-$i/l && mkfifo /made-$i/p || echo no $i
                    done
                    wait
                    find /made-* | wc -l; cat /made-*/s | wc -l""");
        });
    }

    /** So many directories with 500 empty files in each. */
    private static void fill(Path directory, int directories) throws IOException {
        for (int i = 0; i < directories; i++) {
            Path below = Files.createDirectory(directory.resolve("d" + i));
            for (int j = 0; j < 500; j++) {
                Files.createFile(below.resolve("f" + j));
            }
        }
    }

    /** So many files virtiofsd may have open from now on; a container has none. */
    private static void lower(Container container, int files) throws Exception {
        OptionalLong virtiofsd = Sandbox.of(container).orElseThrow().find("virtiofsd");
        if (virtiofsd.isPresent()) {
            Host.run("prlimit", "--pid", Long.toString(virtiofsd.getAsLong()), "--nofile=" + files + ":" + files);
        }
    }
}
