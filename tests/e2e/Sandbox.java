// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** The processes that hold one VM, as the host sees them, and what they may leave behind. */
final class Sandbox {
    private static final Path PROC = Path.of("/proc");
    private static final int TEMPORARY_DEPTH = 4;

    private final Container container;
    private final ProcessHandle init;
    private final List<ProcessHandle> seen = new ArrayList<>();

    private Sandbox(Container container, ProcessHandle init) {
        this.container = container;
        this.init = init;
    }

    /** The sandbox of a container that has been started; empty when it has ended already. */
    static Optional<Sandbox> of(Container container) throws Exception {
        long pid = Long.parseLong(container.inspect("{{.State.Pid}}"));
        return pid == 0 ? Optional.empty() : ProcessHandle.of(pid).map(init -> new Sandbox(container, init));
    }

    /** The pid of the process with that name (the first 15 characters count), if it runs now. */
    OptionalLong find(String name) {
        List<ProcessHandle> now = new ArrayList<>();
        now.add(init);
        init.descendants().forEach(now::add);
        seen.addAll(now);
        return now.stream()
                .filter(p -> nameOf(p.pid()).equals(name))
                .mapToLong(ProcessHandle::pid)
                .findFirst();
    }

    /** Waits for the process; empty when the container ends first. */
    OptionalLong await(String name) throws Exception {
        OptionalLong[] found = {OptionalLong.empty()};
        Deadline.await(name + " in the sandbox", () -> {
            found[0] = find(name);
            return found[0].isPresent() || !init.isAlive();
        });
        return found[0];
    }

    private static String nameOf(long pid) {
        try {
            return Files.readString(PROC.resolve(pid + "/comm")).strip();
        } catch (IOException e) {
            return "";
        }
    }

    /** Remembers the processes that are there now. */
    void look() {
        seen.add(init);
        init.descendants().forEach(seen::add);
    }

    /** Fails unless all of the container's processes end that have been seen. */
    void assertEnded() throws Exception {
        Deadline.await("the end of the sandbox's processes", () -> seen.stream().noneMatch(ProcessHandle::isAlive));
    }

    /** Fails unless all of the container's processes end and, after its removal, nothing of it is left on the host. */
    void assertGone() throws Exception {
        assertEnded();
        container.docker().quietly("rm", "-f", "-v", container.name());
        assertNothingLeft(container.id());
    }

    /** Fails unless no process, mount, control group or temporary file has the container's id in its name. */
    static void assertNothingLeft(String id) throws Exception {
        List<String> left = leftovers(id);
        // The engine's own processes need a moment to end.
        for (long end = System.nanoTime() + Settings.DEADLINE.toNanos(); !left.isEmpty() && System.nanoTime() < end; ) {
            Thread.sleep(500);
            left = leftovers(id);
        }
        assertThat(left).as("what is left on the host").isEmpty();
    }

    private static List<String> leftovers(String id) throws IOException {
        List<String> left = new ArrayList<>();
        try (Stream<Path> processes = Files.list(PROC)) {
            processes
                    .filter(p -> p.getFileName().toString().matches("[0-9]+"))
                    .filter(p -> commandLine(p).contains(id))
                    .forEach(p -> left.add("process " + p + " " + commandLine(p)));
        }
        Files.readAllLines(PROC.resolve("self/mounts")).stream()
                .filter(m -> m.contains(id))
                .forEach(m -> left.add("mount " + m));
        for (String place : List.of("/sys/fs/cgroup", "/run", "/tmp", "/var/tmp")) {
            left.addAll(named(Path.of(place), id));
        }
        return left;
    }

    private static String commandLine(Path process) {
        try {
            return new String(Files.readAllBytes(process.resolve("cmdline")), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return "";
        }
    }

    private static List<String> named(Path place, String id) {
        List<String> found = new ArrayList<>();
        try {
            Files.walkFileTree(
                    place,
                    EnumSet.noneOf(java.nio.file.FileVisitOption.class),
                    TEMPORARY_DEPTH,
                    new SimpleFileVisitor<>() {
                        @Override
                        public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
                            return look(directory);
                        }

                        @Override
                        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                            return look(file);
                        }

                        @Override
                        public FileVisitResult visitFileFailed(Path file, IOException e) {
                            // What disappears while we look is not left.
                            return FileVisitResult.CONTINUE;
                        }

                        private FileVisitResult look(Path path) {
                            if (String.valueOf(path.getFileName()).contains(id)) {
                                found.add("file " + path);
                            }
                            return FileVisitResult.CONTINUE;
                        }
                    });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return found;
    }
}
