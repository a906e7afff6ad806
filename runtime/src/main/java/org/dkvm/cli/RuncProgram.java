// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.dkvm.core.ContainerId;
import org.dkvm.linux.Program;
import org.dkvm.update.Update;

/** The runc that the launcher found, for one container. */
final class RuncProgram implements Update.Runc {
    /** Gigabytes that an emulated guest has to give back take their time. */
    private static final Duration LIMIT = Duration.ofMinutes(10);

    private final List<String> args;
    private final Optional<String> root;
    private final ContainerId id;

    /**
     * The runc of a command.
     *
     * @param args the engine's
     */
    RuncProgram(List<String> args, Optional<String> root, ContainerId id) {
        this.args = args;
        this.root = root;
        this.id = id;
    }

    @Override
    public Program.Result exec(List<String> command) {
        List<String> words = new ArrayList<>();
        words.add(program());
        if (root.isPresent()) {
            words.add("--root");
            words.add(root.get());
        }
        words.addAll(List.of("exec", "--user", "0:0", "--cwd", "/", id.value()));
        words.addAll(command);
        return Program.run(words, LIMIT);
    }

    @Override
    public Program.Result update(Path resources) {
        List<String> words = new ArrayList<>();
        words.add(program());
        words.addAll(args.subList(0, args.size() - 1));
        // Of two it takes the last.
        words.addAll(List.of("--resources", resources.toString()));
        words.add(args.getLast());
        return Program.run(words, LIMIT);
    }

    /** Whether the launcher found crun. */
    static boolean isCrun() {
        String program = program();
        return program.substring(program.lastIndexOf('/') + 1).startsWith("crun");
    }

    static String program() {
        return System.getProperty("dkvm.runc", "runc");
    }
}
