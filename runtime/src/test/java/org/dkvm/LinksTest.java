// SPDX-License-Identifier: Apache-2.0
package org.dkvm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the pages link to within the project is there: files, and headings of pages. */
class LinksTest {
    private static final Pattern LINK = Pattern.compile("]\\(([^)\\s]+)\\)");
    private static final Pattern NAMED_LINK = Pattern.compile("]\\[([a-z][a-z0-9-]*)]");
    private static final Pattern DEFINITION = Pattern.compile("\\[([a-z][a-z0-9-]*)]: ");
    private static final Pattern ELSEWHERE = Pattern.compile("[a-z]+:.*");
    private static final Pattern HEADING = Pattern.compile("#{1,6} +(.*)");
    private static final int FEWEST = 100;

    @Test
    void everyFileAndHeadingThatIsLinkedExists() throws IOException {
        int links = 0;
        List<String> broken = new ArrayList<>();
        for (Path page : pages()) {
            for (String line : prose(page)) {
                Matcher matcher = LINK.matcher(line.replaceAll("`[^`]*`", "`"));
                while (matcher.find()) {
                    String link = matcher.group(1);
                    if (!ELSEWHERE.matcher(link).matches()) {
                        links++;
                        if (!leadsSomewhere(page, link)) {
                            broken.add(page + ": " + link);
                        }
                    }
                }
            }
        }
        assertThat(links).isGreaterThan(FEWEST);
        assertThat(broken).isEmpty();
    }

    @Test
    void everyNameOfALinkIsDefined() throws IOException {
        List<String> undefined = new ArrayList<>();
        for (Path page : pages()) {
            Set<String> defined = new HashSet<>();
            List<String> used = new ArrayList<>();
            for (String line : prose(page)) {
                Matcher definition = DEFINITION.matcher(line);
                if (definition.lookingAt()) {
                    defined.add(definition.group(1));
                }
                Matcher use = NAMED_LINK.matcher(line.replaceAll("`[^`]*`", "`"));
                while (use.find()) {
                    used.add(use.group(1));
                }
            }
            used.stream().filter(name -> !defined.contains(name)).forEach(name -> undefined.add(page + ": " + name));
        }
        assertThat(undefined).isEmpty();
    }

    private static boolean leadsSomewhere(Path page, String link) throws IOException {
        int hash = link.indexOf('#');
        String file = hash < 0 ? link : link.substring(0, hash);
        Path target = file.isEmpty() ? page : page.resolveSibling(file).normalize();
        return Files.exists(target) && (hash < 0 || anchors(target).contains(link.substring(hash + 1)));
    }

    /** Every page that is for people. */
    private static List<Path> pages() throws IOException {
        List<Path> pages = new ArrayList<>(
                List.of(Path.of("kernel/README.md"), Path.of("protocol/PROTOCOL.md"), Path.of("tests/e2e/README.md")));
        try (Stream<Path> top = Files.list(Path.of(""));
                Stream<Path> docs = Files.walk(Path.of("docs"))) {
            Stream.concat(top, docs)
                    .filter(path -> path.toString().endsWith(".md"))
                    .sorted()
                    .forEach(pages::add);
        }
        return pages;
    }

    /** The lines that are not in a block of code. */
    private static List<String> prose(Path page) throws IOException {
        List<String> prose = new ArrayList<>();
        boolean code = false;
        for (String line : Files.readAllLines(page)) {
            if (line.strip().startsWith("```")) {
                code = !code;
            } else if (!code) {
                prose.add(line);
            }
        }
        assertThat(code).as(page + " ends in a block of code").isFalse();
        return prose;
    }

    /** The anchors of a page's headings, as GitHub makes them: lower case, no punctuation, hyphens for spaces, a number for a second one of the name. */
    private static Set<String> anchors(Path page) throws IOException {
        Set<String> anchors = new HashSet<>();
        for (String line : prose(page)) {
            Matcher heading = HEADING.matcher(line);
            if (heading.matches()) {
                String text = heading.group(1).strip().replaceAll("\\[([^]]*)]\\([^)]*\\)", "$1");
                String anchor = text.toLowerCase(Locale.ROOT)
                        .replaceAll("[^\\p{L}\\p{N} _-]", "")
                        .replace(' ', '-');
                String unique = anchor;
                for (int i = 1; !anchors.add(unique); i++) {
                    unique = anchor + "-" + i;
                }
            }
        }
        return anchors;
    }
}
