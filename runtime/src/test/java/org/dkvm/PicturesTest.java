// SPDX-License-Identifier: Apache-2.0
package org.dkvm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The pictures of the pages were drawn from the sources beside them: docs/pictures/draw.sh writes the sources' digest into each. */
class PicturesTest {
    private static final Path PICTURES = Path.of("docs/pictures");

    @Test
    void everyPictureWasDrawnFromItsSourceAsItIs() throws Exception {
        List<Path> sources = named(".dot");
        assertThat(sources).isNotEmpty();
        for (Path source : sources) {
            Path picture = renamed(source, ".dot", ".svg");
            assertThat(picture).as("\"make pictures\" draws it").exists();
            assertThat(Files.readString(picture))
                    .as("%s is older than %s: \"make pictures\" draws it", picture, source)
                    .contains("digest " + digest(source));
        }
    }

    @Test
    void everyPictureHasASource() throws IOException {
        assertThat(named(".svg"))
                .allSatisfy(
                        picture -> assertThat(renamed(picture, ".svg", ".dot")).exists());
    }

    /** "make bench" draws them; a start whose picture no page shows need not be kept. */
    @Test
    void everyMeasuredPictureIsShown() throws Exception {
        List<Path> measured = named(PICTURES.resolve("measured"), ".svg");
        assertThat(measured).isNotEmpty();
        String page = Files.readString(Path.of("docs/performance.md"));
        for (Path picture : measured) {
            assertThat(page).contains("(pictures/measured/" + picture.getFileName() + ")");
            assertThat(Files.readString(picture)).startsWith("<svg ").endsWith("</svg>\n");
        }
    }

    private static List<Path> named(String suffix) throws IOException {
        return named(PICTURES, suffix);
    }

    private static List<Path> named(Path directory, String suffix) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.toString().endsWith(suffix)).toList();
        }
    }

    private static Path renamed(Path file, String from, String to) {
        String name = file.getFileName().toString();
        return file.resolveSibling(name.substring(0, name.length() - from.length()) + to);
    }

    private static String digest(Path source) throws IOException, NoSuchAlgorithmException {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        digest.update(Files.readAllBytes(source));
        digest.update(Files.readAllBytes(PICTURES.resolve("dark.css")));
        return HexFormat.of().formatHex(digest.digest());
    }
}
