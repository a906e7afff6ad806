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
    /** Everything less than all counts as asked for. */
    private static final EngineDefaults NONE = new EngineDefaults(-1, 0);

    /** Who passes an image's annotations on says so: they are not believed then. */
    private static final String MANAGER = "io.container.manager";

    private static final String CONTAINERD_TYPE = "io.kubernetes.cri.container-type";

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

    /** The defaults of the engine that wrote a spec. One of several containers of a VM has neighbours there, and gets what it is given. */
    public static EngineDefaults of(JsonObject spec) {
        Optional<JsonObject> annotations = Json.object(spec, "annotations");
        if (annotations.isPresent()
                && !annotations.get().has(MANAGER)
                && "container"
                        .equals(Json.string(annotations.get(), CONTAINERD_TYPE).orElse(""))) {
            return NONE;
        }
        boolean podman = annotations.isPresent()
                && "libpod".equals(Json.string(annotations.get(), MANAGER).orElse(""));
        return new EngineDefaults(
                podman ? CapabilityNames.PODMAN_DEFAULT : CapabilityNames.DOCKER_DEFAULT,
                CapabilityNames.ALL & OwnCapabilities.bounding());
    }
}
