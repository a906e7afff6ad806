// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** A golden frame of protocol/vectors: what it says of itself, and its bytes. */
final class Vector {
    private static final Path DIRECTORY = Path.of("protocol/vectors");

    private final String name;
    private final Map<String, String> expectations;
    private final byte[] bytes;

    private Vector(String name, Map<String, String> expectations, byte[] bytes) {
        this.name = name;
        this.expectations = expectations;
        this.bytes = bytes;
    }

    /** All of them. */
    static List<Vector> all() throws IOException {
        List<Vector> vectors = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(DIRECTORY, "*.hex")) {
            for (Path file : files) {
                vectors.add(read(file));
            }
        }
        return vectors;
    }

    /** The one with that name. */
    static Vector named(String name) throws IOException {
        return read(DIRECTORY.resolve(name + ".hex"));
    }

    private static Vector read(Path file) throws IOException {
        Map<String, String> expectations = new HashMap<>();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (String line : Files.readAllLines(file)) {
            if (line.startsWith("#")) {
                int colon = line.indexOf(": ");
                if (colon > 0) {
                    expectations.put(
                            line.substring(1, colon).strip(),
                            line.substring(colon + 2).strip());
                }
            } else if (!line.isBlank()) {
                bytes.writeBytes(HexFormat.ofDelimiter(" ").parseHex(line.strip()));
            }
        }
        return new Vector(String.valueOf(file.getFileName()), expectations, bytes.toByteArray());
    }

    String text(String key) {
        return Objects.requireNonNull(expectations.get(key), key + " in " + name);
    }

    int number(String key) {
        return Long.decode(text(key)).intValue();
    }

    byte[] bytes() {
        return bytes.clone();
    }

    byte[] payload() {
        return Arrays.copyOfRange(bytes, Frame.HEADER, bytes.length);
    }

    @Override
    public String toString() {
        return name;
    }
}
