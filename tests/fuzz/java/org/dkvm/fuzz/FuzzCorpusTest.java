// SPDX-License-Identifier: Apache-2.0
package org.dkvm.fuzz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Plays every input of the corpora of the Java targets: seeds, and what a fuzzer once found. The C ones are played by the C unit tests. */
class FuzzCorpusTest {
    private static final Path TARGETS = Path.of("tests/fuzz/java");
    private static final Path C_TARGETS = Path.of("tests/fuzz/c");
    private static final Path CORPUS = Path.of("tests/fuzz/corpus");
    private static final String SUFFIX = "Fuzz.java";

    @TestFactory
    Stream<DynamicTest> everyInputOfThatTargetHolds() throws IOException {
        return targets().stream().map(target -> dynamicTest(simpleName(target), () -> play(target)));
    }

    @Test
    void everyCorpusIsATargetsAndSmall() throws IOException {
        List<String> names = Stream.concat(
                        targets().stream().map(FuzzCorpusTest::simpleName),
                        list(C_TARGETS).stream()
                                .map(file -> file.getFileName().toString())
                                .filter(name -> name.endsWith("_fuzz.c"))
                                .map(name -> name.substring(0, name.length() - 2)))
                .toList();
        assertThat(list(CORPUS))
                .extracting(directory -> directory.getFileName().toString())
                .containsExactlyInAnyOrderElementsOf(names);
        for (Path directory : list(CORPUS)) {
            List<Path> inputs = list(directory);
            assertThat(inputs).as(directory.toString()).hasSizeBetween(1, 100);
            for (Path input : inputs) {
                assertThat(Files.size(input)).as(input.toString()).isLessThanOrEqualTo(64 * 1024);
            }
        }
    }

    private static void play(String target) throws Throwable {
        MethodHandle take = MethodHandles.publicLookup()
                .findStatic(
                        Class.forName(target), "fuzzerTestOneInput", MethodType.methodType(void.class, byte[].class));
        take.invokeExact(new byte[0]);
        for (Path input : list(CORPUS.resolve(simpleName(target)))) {
            try {
                take.invokeExact(Files.readAllBytes(input));
            } catch (Exception | AssertionError | StackOverflowError | OutOfMemoryError e) {
                throw new AssertionError("input \"" + input + "\": " + e, e);
            }
        }
    }

    private static List<String> targets() throws IOException {
        try (Stream<Path> files = Files.walk(TARGETS)) {
            return files.filter(file -> file.toString().endsWith(SUFFIX))
                    .map(file -> TARGETS.relativize(file).toString().replace('/', '.'))
                    .map(name -> name.substring(0, name.length() - ".java".length()))
                    .sorted()
                    .toList();
        }
    }

    private static List<Path> list(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.sorted().toList();
        }
    }

    private static String simpleName(String target) {
        return target.substring(target.lastIndexOf('.') + 1);
    }
}
