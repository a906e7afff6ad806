// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.options;

import java.time.Duration;
import org.dkvm.bundle.plan.SandboxRights;

/**
 * How long things may take on this host.
 *
 * @param kvmProbe the VM by which it is found out whether KVM works
 * @param start a phase of a VM's start; the other limits of its start and its end are in proportion
 */
public record Patience(Duration kvmProbe, Duration start) {
    /** A host of today takes a third of a second for the probe, one that is busy three times as long. */
    static final Patience DEFAULT =
            new Patience(Duration.ofSeconds(3), Duration.ofSeconds(SandboxRights.USUAL_START_SECONDS));
}
