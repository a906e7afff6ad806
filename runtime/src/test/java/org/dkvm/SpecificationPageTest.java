// SPDX-License-Identifier: Apache-2.0
package org.dkvm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** SPECIFICATION.md names for each promise what holds it: that has to be there. */
class SpecificationPageTest {
    private static final Path PAGE = Path.of("SPECIFICATION.md");
    private static final Pattern QUOTED = Pattern.compile("`([^`]+)`");
    private static final Pattern TEST = Pattern.compile("[A-Z][A-Za-z0-9]*Test");
    private static final Pattern TARGET = Pattern.compile("make ([a-z]+)");
    private static final Pattern FIGURES = Pattern.compile("`make bench`: ([a-z.-]+)");
    private static final int FEWEST = 50;

    /** A row of the table. */
    private record Promise(String text, String figure, String heldBy) {}

    private static List<Promise> promises() throws IOException {
        List<Promise> promises = new ArrayList<>();
        for (String line : Files.readAllLines(PAGE)) {
            if (line.startsWith("| ") && !line.startsWith("| promise ")) {
                // A bar within quotes is none of the table's: none is used.
                String[] cells = line.split("\\|", -1);
                assertThat(cells).as(line).hasSize(5);
                promises.add(new Promise(cells[1].strip(), cells[2].strip(), cells[3].strip()));
            }
        }
        assertThat(promises).hasSizeGreaterThan(FEWEST);
        return promises;
    }

    @Test
    void whatIsSaidToHoldAPromiseExists() throws IOException {
        Set<String> tests = tests(Path.of("runtime/src/test/java"), Path.of("tests/e2e"), Path.of("tests/fuzz/java"));
        String makefile = Files.readString(Path.of("Makefile"));
        List<String> missing = new ArrayList<>();
        for (Promise promise : promises()) {
            assertThat(promise.heldBy()).as(promise.text()).isNotEmpty();
            Matcher quoted = QUOTED.matcher(promise.heldBy());
            while (quoted.find()) {
                if (!exists(quoted.group(1), tests, makefile)) {
                    missing.add(quoted.group(1));
                }
            }
        }
        assertThat(missing).isEmpty();
    }

    private static boolean exists(String name, Set<String> tests, String makefile) {
        Matcher target = TARGET.matcher(name);
        if (target.matches()) {
            return makefile.contains("\n" + target.group(1) + ":");
        }
        if (TEST.matcher(name).matches()) {
            return tests.contains(name);
        }
        // "golden tests of `bundle`" names a package.
        return Files.exists(Path.of(name)) || Files.isDirectory(Path.of("runtime/src/test/java/org/dkvm", name));
    }

    @Test
    void theBenchPrintsTheFiguresThatAreNamed() throws IOException {
        String bench = Files.readString(Path.of("bench/Bench.java"));
        List<String> missing = new ArrayList<>();
        int named = 0;
        for (Promise promise : promises()) {
            Matcher figure = FIGURES.matcher(promise.heldBy());
            while (figure.find()) {
                named++;
                if (!bench.contains("\"" + figure.group(1))) {
                    missing.add(figure.group(1));
                }
            }
        }
        assertThat(named).isGreaterThan(5);
        assertThat(missing).isEmpty();
    }

    /** The names of the test classes below these directories. */
    private static Set<String> tests(Path... roots) throws IOException {
        Set<String> names = new TreeSet<>();
        for (Path root : roots) {
            try (Stream<Path> files = Files.walk(root)) {
                files.map(path -> path.getFileName().toString())
                        .filter(name -> name.endsWith("Test.java"))
                        .forEach(name -> names.add(name.substring(0, name.length() - ".java".length())));
            }
        }
        return names;
    }
}
