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

    private static List<Path> named(String suffix) throws IOException {
        try (Stream<Path> files = Files.list(PICTURES)) {
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
