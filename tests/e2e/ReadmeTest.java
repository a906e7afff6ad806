// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.onVm;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dkvm.e2e.ConsoleBlock.Command;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.opentest4j.TestAbortedException;

/** The pages' commands as they stand there, typed into a shell one after the other, print what the pages say. */
@EndToEnd
class ReadmeTest {
    private static final Pattern NAME = Pattern.compile("docker run .*--name[ =](\\S+)");
    private static final Pattern PORT = Pattern.compile("docker run .* -p ([0-9]+):");
    private static final List<String> IMAGES = List.of("busybox", "debian", "nginx");

    @ParameterizedTest
    @CsvSource({"README.md, 5", "docs/security.md, 1"})
    void theCommandsPrintWhatThePageSays(Path page, int fewest) throws Exception {
        List<ConsoleBlock> blocks = ConsoleBlock.of(Files.readAllLines(page)).stream()
                .filter(ConsoleBlock::run)
                .toList();
        assertThat(blocks).hasSizeGreaterThanOrEqualTo(fewest);
        onVm(docker -> {
            awaitFree(docker, blocks);
            Path directory = docker.directory();
            Varying varying = new Varying();
            try {
                for (ConsoleBlock block : blocks) {
                    play(page, block, directory, varying);
                }
            } finally {
                for (ConsoleBlock block : blocks) {
                    for (String name : block.mentioned(NAME)) {
                        docker.attempt("rm", "-f", name);
                    }
                }
            }
        });
    }

    /** The commands have names and ports of their own, which somebody else's containers may have. */
    private static void awaitFree(Docker docker, List<ConsoleBlock> blocks) throws Exception {
        for (String image : IMAGES) {
            if (docker.attempt("image", "inspect", image).exitCode() != 0) {
                throw new AssertionError(
                        "image \"" + image + "\" is missing; \"tests/images/build.sh --short-names\" makes it");
            }
        }
        for (ConsoleBlock block : blocks) {
            for (String name : block.mentioned(NAME)) {
                if (docker.attempt("container", "inspect", name).exitCode() == 0) {
                    throw new TestAbortedException("there is a container \"" + name + "\" already");
                }
            }
            for (String port : block.mentioned(PORT)) {
                try (ServerSocket free = new ServerSocket(Integer.parseInt(port))) {
                    assertThat(free.isBound()).isTrue();
                } catch (IOException e) {
                    throw new TestAbortedException("port " + port + " is taken: " + e.getMessage());
                }
            }
        }
    }

    private static void play(Path page, ConsoleBlock block, Path directory, Varying varying) throws Exception {
        String divider = "-- " + directory.getFileName() + " --";
        Outcome outcome = Running.complete(
                List.of("bash", "-c", "cd \"$0\" && eval \"$1\"", directory.toString(), block.script(divider)),
                Bytes.of(""));
        String[] printed = outcome.stdout().utf8().split(Pattern.quote(divider) + "\n", -1);
        for (int i = 0; i < block.commands().size(); i++) {
            Command command = block.commands().get(i);
            String where = page + ":" + block.line() + ": $ " + command.text();
            assertThat(i).as(where + " was not run: " + outcome).isLessThan(printed.length);
            varying.compare(where, block.varies(), command.output(), printed[i]);
        }
    }

    /** What varies is the same text wherever the page has the same text, and another one where it has another. */
    private static final class Varying {
        private final Map<String, String> meant = new HashMap<>();
        private final Map<String, String> shown = new HashMap<>();

        void compare(String where, Pattern pattern, String expected, String actual) {
            assertThat(pattern.matcher(actual).replaceAll("…"))
                    .as(where + "\nprinted " + actual)
                    .isEqualTo(pattern.matcher(expected).replaceAll("…"));
            Matcher there = pattern.matcher(expected);
            Matcher here = pattern.matcher(actual);
            while (there.find() && here.find()) {
                String before = meant.putIfAbsent(there.group(), here.group());
                String other = shown.putIfAbsent(here.group(), there.group());
                assertThat(before == null ? here.group() : before).as(where).isEqualTo(here.group());
                assertThat(other == null ? there.group() : other)
                        .as(where + "\nprinted " + actual)
                        .isEqualTo(there.group());
            }
        }
    }
}
