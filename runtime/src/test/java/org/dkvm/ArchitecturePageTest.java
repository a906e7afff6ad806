// SPDX-License-Identifier: Apache-2.0
package org.dkvm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** docs/architecture.md says in which file a step is; the files have to be there. */
class ArchitecturePageTest {
    private static final Pattern PATH = Pattern.compile("`((?:[A-Za-z0-9_.-]+/)+[A-Za-z0-9_.-]+)`");
    private static final int FEWEST = 50;

    @Test
    void everyFileNamedThereExists() throws IOException {
        List<String> named = new ArrayList<>();
        List<String> missing = new ArrayList<>();
        Matcher matcher = PATH.matcher(Files.readString(Path.of("docs/architecture.md")));
        while (matcher.find()) {
            named.add(matcher.group(1));
            if (!Files.exists(Path.of(matcher.group(1)))) {
                missing.add(matcher.group(1));
            }
        }
        assertThat(named).hasSizeGreaterThan(FEWEST);
        assertThat(missing).isEmpty();
    }

    @Test
    void everyPackageHasARow() throws IOException {
        String page = Files.readString(Path.of("docs/architecture.md"));
        try (Stream<Path> packages = Files.walk(Path.of("runtime/src/main/java/org/dkvm"))) {
            assertThat(packages.filter(file -> file.endsWith("package-info.java"))
                            .map(Path::getParent)
                            .map(directory -> "`" + directory + "`")
                            .filter(name -> !page.contains(name)))
                    .isEmpty();
        }
    }
}
