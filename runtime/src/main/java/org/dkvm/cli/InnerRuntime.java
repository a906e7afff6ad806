// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.dkvm.bundle.options.HostConfig;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.create.Jobs;
import org.dkvm.json.Json;
import org.dkvm.linux.Program;

/** The runtime that makes the sandboxes, runc or crun, as the launcher finds it. */
final class InnerRuntime {
    private InnerRuntime() {}

    /** The configured one, or the first runc there is, or the first crun. */
    static Optional<String> find() {
        String configured = configured();
        if (!configured.isEmpty()) {
            return Optional.of(configured);
        }
        return Program.find("runc").or(() -> Program.find("crun")).map(Path::toString);
    }

    /** What programs that read what is not trusted run in sandboxes by. */
    static Jobs jobs(PackageLayout layout) throws DkvmException {
        return new Jobs(
                layout,
                find().orElseThrow(() -> new DkvmException(
                        "neither runc nor crun is found",
                        "install one, or name it in " + HostConfig.FILE + ": \"runc\": \"/path\"")));
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
