// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.process;

import com.google.gson.JsonObject;
import java.util.Optional;
import org.dkvm.json.Json;

/**
 * What an engine gives a container of whom the user said nothing.
 *
 * @param capabilities a mask of capabilities(7)
 */
public record EngineDefaults(long capabilities) {
    /** The defaults of the engine that wrote a spec. */
    public static EngineDefaults of(JsonObject spec) {
        Optional<JsonObject> annotations = Json.object(spec, "annotations");
        boolean podman = annotations.isPresent()
                && "libpod"
                        .equals(Json.string(annotations.get(), "io.container.manager")
                                .orElse(""));
        return new EngineDefaults(podman ? CapabilityNames.PODMAN_DEFAULT : CapabilityNames.DOCKER_DEFAULT);
    }
}
