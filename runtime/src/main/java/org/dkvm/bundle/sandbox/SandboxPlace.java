// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.sandbox;

import java.nio.file.Path;
import org.dkvm.core.ContainerId;
import org.dkvm.core.PackageLayout;

/**
 * Which sandbox it is, and where it has its files on the host.
 *
 * @param id the container
 * @param bundle its directory, absolute
 * @param log a directory for what the sandbox writes down about its VM; empty: it goes with the sandbox
 * @param pod a directory for what a pod's further containers bring to the VM; empty: it is no pod's
 * @param layout the package
 */
public record SandboxPlace(ContainerId id, Path bundle, String log, String pod, PackageLayout layout) {
    boolean isPod() {
        return !pod.isEmpty();
    }
}
