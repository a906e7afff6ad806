// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.core.machine.MachineSize;
import org.dkvm.linux.AtomicFile;
import org.dkvm.linux.StatePlaces;
import org.dkvm.template.TemplateKey;
import org.dkvm.template.TemplateMisses;

/**
 * Has a template made in the background that a start has missed: by a process of its own, after all others. One is begun at a time, with a pause between two of them, and
 * the same one not again and again where that fails.
 */
final class TemplateOrder implements TemplateMisses {
    private static final Path ASKED = StatePlaces.run().resolve("templates.asked");

    /** Between two orders. */
    static final Duration PAUSE = Duration.ofSeconds(20);

    /** Between two orders of the same. */
    static final Duration PATIENCE = Duration.ofMinutes(10);

    /** What is remembered of orders: the first ones are forgotten. */
    static final int MOST_LINES = 64;

    private final PackageLayout layout;
    private final Path asked;

    TemplateOrder(PackageLayout layout) {
        this(layout, ASKED);
    }

    TemplateOrder(PackageLayout layout, Path asked) {
        this.layout = layout;
        this.asked = asked;
    }

    /** The command that makes it. */
    static List<String> command(PackageLayout layout, TemplateKey key, MachineSize size) {
        return List.of(
                "setsid",
                "nice",
                "-n",
                "19",
                layout.home().resolve("bin/dkvm").toString(),
                "template",
                "make",
                "--for",
                key.text(),
                "--memory",
                Long.toString(size.memory().mib()),
                "--cpus",
                Integer.toString(size.cpus()));
    }

    /** Asks for it, and does not wait. */
    @Override
    public void missed(TemplateKey key, MachineSize size) {
        try {
            if (isDue(key, Instant.now())) {
                new ProcessBuilder(command(layout, key, size))
                        .redirectInput(ProcessBuilder.Redirect.from(
                                Path.of("/dev/null").toFile()))
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
            }
        } catch (IOException | DkvmException e) {
            // The next start asks again: this one boots in any case.
            return;
        }
    }

    /** Whether it is to be ordered now; that it was is remembered. Times that are to come are of a clock that was wrong. */
    boolean isDue(TemplateKey key, Instant now) throws IOException, DkvmException {
        List<String> lines = new ArrayList<>();
        for (String line : known()) {
            int space = line.indexOf(' ');
            Instant then = Instant.ofEpochMilli(Long.parseLong(line.substring(space + 1)));
            Duration since = Duration.between(then, now);
            if (since.isNegative() || since.compareTo(PATIENCE) >= 0) {
                continue;
            }
            if (since.compareTo(PAUSE) < 0 || line.substring(0, space).equals(key.text())) {
                return false;
            }
            lines.add(line);
        }
        lines.add(key.text() + " " + now.toEpochMilli());
        List<String> kept = lines.subList(Math.max(0, lines.size() - MOST_LINES), lines.size());
        Files.createDirectories(asked.toAbsolutePath().getParent());
        AtomicFile.replacePrivate(asked, String.join("\n", kept) + "\n");
        return true;
    }

    private List<String> known() throws IOException {
        try {
            List<String> lines = Files.readAllLines(asked);
            lines.removeIf(line -> !line.matches("[0-9a-f]{64} [0-9]{1,15}"));
            return lines;
        } catch (NoSuchFileException e) {
            return List.of();
        }
    }
}
