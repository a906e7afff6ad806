// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.process;

import com.google.gson.JsonObject;
import java.util.Optional;
import org.dkvm.json.Json;
import org.dkvm.linux.OwnCapabilities;

/**
 * What an engine gives a container of whom the user said nothing, and what it gives at most. Both are masks of capabilities(7).
 *
 * @param capabilities by default
 * @param all what it gives where it is asked for all: some engines give what they have themselves
 */
public record EngineDefaults(long capabilities, long all) {
    /**
     * Whether a set is less than the user was free to have: the default one is not whole, or all were asked for ({@code --cap-add=ALL}) but for some. Nobody adds most
     * of them one by one. What is beyond the last one that an engine names is newer than that engine.
     */
    boolean somethingWasDropped(long given) {
        long others = all & ~capabilities;
        long known = 2 * Long.highestOneBit(given) - 1;
        boolean wantsAll = 2 * Long.bitCount(given & others) > Long.bitCount(others);
        return (capabilities & ~given) != 0 || (wantsAll && (others & known & ~given) != 0);
    }

    /** The defaults of the engine that wrote a spec. */
    public static EngineDefaults of(JsonObject spec) {
        Optional<JsonObject> annotations = Json.object(spec, "annotations");
        boolean podman = annotations.isPresent()
                && "libpod"
                        .equals(Json.string(annotations.get(), "io.container.manager")
                                .orElse(""));
        return new EngineDefaults(
                podman ? CapabilityNames.PODMAN_DEFAULT : CapabilityNames.DOCKER_DEFAULT,
                CapabilityNames.ALL & OwnCapabilities.bounding());
    }
}
