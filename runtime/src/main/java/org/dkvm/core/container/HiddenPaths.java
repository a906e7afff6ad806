// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.container;

import java.util.List;

/**
 * Paths of the container that the engine was asked to keep from the workload, beside those that no container sees.
 *
 * @param masked they look empty
 * @param readOnly nobody writes there
 */
public record HiddenPaths(List<String> masked, List<String> readOnly) {
    public static final HiddenPaths NONE = new HiddenPaths(List.of(), List.of());

    public HiddenPaths {
        masked = List.copyOf(masked);
        readOnly = List.copyOf(readOnly);
    }

    /** Whether nothing is hidden. A start is spared what the JVM makes for a record's own comparison. */
    public boolean isEmpty() {
        return masked.isEmpty() && readOnly.isEmpty();
    }
}
