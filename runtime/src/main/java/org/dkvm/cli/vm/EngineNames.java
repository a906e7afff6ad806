// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli.vm;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.dkvm.core.PlainName;
import org.dkvm.linux.Program;

/** What engines call their containers now: asked of Docker and Podman, where they are. */
final class EngineNames {
    private static final List<String> ENGINES = List.of("docker", "podman");
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private EngineNames() {}

    /** The id of the container that an engine knows by that name, or by that id's beginning; empty where none does. */
    static String idOf(String container) {
        for (String engine : engines()) {
            Program.Result result = Program.run(
                    List.of(engine, "inspect", "--type", "container", "--format", "{{.Id}}", container), PATIENCE);
            if (result.code() == 0 && PlainName.isValid(result.output())) {
                return result.output();
            }
        }
        return "";
    }

    /** Names by id. */
    static Map<String, String> all() {
        Map<String, String> names = new HashMap<>();
        for (String engine : engines()) {
            Program.Result result =
                    Program.run(List.of(engine, "ps", "--no-trunc", "--format", "{{.ID}} {{.Names}}"), PATIENCE);
            for (String line : result.code() == 0 ? result.output().split("\n", -1) : new String[0]) {
                String[] words = line.split(" ", -1);
                if (words.length == 2 && PlainName.isValid(words[0]) && PlainName.isValid(words[1])) {
                    names.put(words[0], words[1]);
                }
            }
        }
        return names;
    }

    private static List<String> engines() {
        List<String> found = new ArrayList<>();
        for (String name : ENGINES) {
            Optional<Path> engine = Program.find(name);
            engine.ifPresent(program -> found.add(program.toString()));
        }
        return found;
    }
}
