// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.dkvm.core.PackageLayout;
import org.dkvm.core.machine.MachineSize;
import org.dkvm.linux.Program;
import org.dkvm.template.TemplateKey;
import org.dkvm.template.TemplateMisses;

/** Has a template made in the background that a start has missed: by a process of its own, after all others, and not again and again where that fails. */
final class TemplateOrder implements TemplateMisses {
    private static final Path DIRECTORY = Path.of("/run/dkvm/templates");
    private static final Duration PATIENCE = Duration.ofMinutes(10);
    private static final String ASKED = ".asked";

    private final PackageLayout layout;
    private final Path directory;

    TemplateOrder(PackageLayout layout) {
        this(layout, DIRECTORY);
    }

    TemplateOrder(PackageLayout layout, Path directory) {
        this.layout = layout;
        this.directory = directory;
    }

    /** The command that makes it. */
    static List<String> command(PackageLayout layout, MachineSize size) {
        return List.of(
                "setsid",
                "nice",
                "-n",
                "19",
                layout.home().resolve("bin/dkvm").toString(),
                "template",
                "make",
                "--if-idle",
                "--memory",
                Long.toString(size.memory().mib()),
                "--cpus",
                Integer.toString(size.cpus()));
    }

    /** Asks for it, and does not wait. */
    @Override
    public void missed(TemplateKey key, MachineSize size) {
        try {
            if (isFirst(key)) {
                Program.startWithoutHelper();
                new ProcessBuilder(command(layout, size))
                        .redirectInput(ProcessBuilder.Redirect.from(
                                Path.of("/dev/null").toFile()))
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
            }
        } catch (IOException e) {
            // The next start asks again: this one boots in any case.
            return;
        }
    }

    /** Whether nobody has asked for it some time ago. */
    boolean isFirst(TemplateKey key) throws IOException {
        Files.createDirectories(directory);
        Path asked = directory.resolve(key.text() + ASKED);
        Instant now = Instant.now();
        if (Files.exists(asked)
                && Files.getLastModifiedTime(asked).toInstant().plus(PATIENCE).isAfter(now)) {
            return false;
        }
        Files.writeString(asked, "");
        Files.setLastModifiedTime(asked, FileTime.from(now));
        return true;
    }
}
