// SPDX-License-Identifier: Apache-2.0
package org.dkvm.update;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.dkvm.bundle.host.ContainerState;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.json.Json;

/**
 * How large a VM is.
 *
 * @param memory its memory
 * @param cpus its processors
 */
public record CurrentSize(MemorySize memory, int cpus) {
    /**
     * What the last update made of a VM; empty where there was none since its start.
     *
     * @param state the container's directory below runc's {@code --root}
     */
    public static Optional<CurrentSize> of(Path state) throws DkvmException {
        Optional<ContainerState> known = ContainerState.of(state);
        if (known.isEmpty()) {
            return Optional.empty();
        }
        Path file = known.get().bundle().resolve(Update.LIMITS_FILE);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        Limits limits = Limits.fromJson(Json.readObject(file));
        return Optional.of(new CurrentSize(limits.memory(), limits.cpus()));
    }
}
