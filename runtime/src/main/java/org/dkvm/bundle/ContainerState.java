// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle;

import com.google.gson.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.dkvm.core.DkvmException;
import org.dkvm.json.Json;

/** Where a container's bundle is, as runc and crun remember it. */
public final class ContainerState {
    private static final String BUNDLE_LABEL = "bundle=";

    private ContainerState() {}

    /**
     * The bundle's directory; empty when the state does not tell, which runc itself will complain about.
     *
     * @param directory the container's directory below {@code --root}
     */
    public static Optional<Path> bundle(Path directory) throws DkvmException {
        Path runc = directory.resolve("state.json");
        if (Files.exists(runc)) {
            JsonObject config = Json.objectOrNew(Json.readObject(runc), "config");
            for (String label : Json.strings(config, "labels")) {
                if (label.startsWith(BUNDLE_LABEL)) {
                    return Optional.of(Path.of(label.substring(BUNDLE_LABEL.length())));
                }
            }
            return Optional.empty();
        }
        Path crun = directory.resolve("status");
        if (Files.exists(crun)) {
            Optional<String> bundle = Json.string(Json.readObject(crun), "bundle");
            return bundle.isPresent() ? Optional.of(Path.of(bundle.get())) : Optional.empty();
        }
        return Optional.empty();
    }
}
