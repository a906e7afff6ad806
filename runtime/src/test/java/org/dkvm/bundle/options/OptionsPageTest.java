// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.options;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dkvm.core.DkvmException;
import org.dkvm.json.Json;
import org.junit.jupiter.api.Test;

/** docs/options.md names what the code knows, and nothing else. */
class OptionsPageTest {
    private static final Path PAGE = Path.of("docs/options.md");

    /** The names in the first column of tables. */
    private static Set<String> rows(Pattern name) throws IOException {
        Set<String> names = new TreeSet<>();
        for (String line : Files.readAllLines(PAGE)) {
            if (line.startsWith("| `")) {
                Matcher matcher = name.matcher(line.substring(0, line.indexOf('|', 1)));
                while (matcher.find()) {
                    names.add(matcher.group(1));
                }
            }
        }
        return names;
    }

    private static Set<String> known(DkvmException refusal) {
        String text = refusal.advice();
        assertThat(text).startsWith("known are ");
        return new TreeSet<>(List.of(text.substring("known are ".length()).split(", ", -1)));
    }

    @Test
    void everyOptionHasARow() throws IOException {
        DkvmException refusal = catchThrowableOfType(
                DkvmException.class, () -> Options.parse(List.of("DKVM_NO_SUCH=1"), HostConfig.defaults()));
        assertThat(rows(Pattern.compile("`(DKVM_[A-Z_]+)`"))).isEqualTo(known(refusal));
    }

    @Test
    void everyOptionHasAVersionAndAnExampleThatIsUnderstood() throws IOException, DkvmException {
        HostConfig allowing = HostConfig.parse(
                Json.parseObject("{\"allow\":[\"sys-admin\",\"nested\",\"break\"]}", "test"), Path.of("dkvm.json"));
        Pattern row = Pattern.compile("\\| `(DKVM_[A-Z_]+)` \\|.*\\| [0-9]+\\.[0-9]+\\.[0-9]+ \\|.*\\| `([^`]+)` \\|");
        int count = 0;
        for (String line : Files.readAllLines(PAGE)) {
            if (line.startsWith("| `DKVM_")) {
                Matcher matcher = row.matcher(line);
                assertThat(matcher.matches()).as(line).isTrue();
                assertThat(matcher.group(2)).startsWith(matcher.group(1) + "=");
                assertThat(Options.parse(List.of(matcher.group(2)), allowing))
                        .as(line)
                        .isNotNull();
                count++;
            }
        }
        assertThat(count).isGreaterThan(10);
    }

    @Test
    void everyKeyOfTheConfigurationHasARow() throws IOException {
        DkvmException refusal = catchThrowableOfType(
                DkvmException.class,
                () -> HostConfig.parse(Json.parseObject("{\"none\":1}", "test"), Path.of("dkvm.json")));
        assertThat(rows(Pattern.compile("`([a-z][a-z-]*)`"))).isEqualTo(known(refusal));
    }

    @Test
    void everyKnownOptionIsParsed() {
        DkvmException refusal = catchThrowableOfType(
                DkvmException.class, () -> Options.parse(List.of("DKVM_NO_SUCH=1"), HostConfig.defaults()));
        for (String name : known(refusal)) {
            // An empty value is as good as none: a name that is not known would be refused all the same.
            assertThat(catchThrowableOfType(
                            DkvmException.class, () -> Options.parse(List.of(name + "="), HostConfig.defaults())))
                    .as(name)
                    .isNull();
        }
    }
}
