// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.dkvm.bundle.HostConfig;
import org.dkvm.core.DkvmException;
import org.dkvm.json.Json;
import org.dkvm.linux.Program;

/** The runtime that makes the sandboxes, runc or crun, as the launcher finds it. */
final class InnerRuntime {
    /** Where the launcher looks beside PATH. */
    private static final List<String> DIRECTORIES =
            List.of("/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin");

    private InnerRuntime() {}

    /** The configured one, or the first runc there is, or the first crun. */
    static Optional<String> find() {
        String configured = configured();
        if (!configured.isEmpty()) {
            return Optional.of(configured);
        }
        List<String> directories = new ArrayList<>();
        String path = System.getenv("PATH");
        Collections.addAll(directories, path == null ? new String[0] : path.split(":", -1));
        directories.addAll(DIRECTORIES);
        return Program.find("runc", directories)
                .or(() -> Program.find("crun", directories))
                .map(Path::toString);
    }

    private static String configured() {
        try {
            return Files.exists(HostConfig.FILE)
                    ? Json.string(Json.readObject(HostConfig.FILE), "runc").orElse("")
                    : "";
        } catch (DkvmException e) {
            // The check of the configuration says so.
            return "";
        }
    }
}
