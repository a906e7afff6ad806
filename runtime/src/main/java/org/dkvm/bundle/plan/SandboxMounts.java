// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.plan;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.dkvm.core.machine.SandboxFile;

/**
 * What is mounted in the sandbox.
 *
 * @param points where runc was told to mount or to cover something; nothing else is mounted there
 * @param files by their paths in the container, the files that the sandbox itself opens
 */
public record SandboxMounts(List<String> points, Map<String, SandboxFile> files) {
    public SandboxMounts {
        points = List.copyOf(points);
        files = Collections.unmodifiableMap(new LinkedHashMap<>(files));
    }

    /** Where the sandbox finds a file that the container's options name. */
    public SandboxFile file(String path) {
        SandboxFile file = files.get(path);
        if (file == null) {
            throw new IllegalArgumentException("the plan does not say where \"" + path + "\" is");
        }
        return file;
    }
}
