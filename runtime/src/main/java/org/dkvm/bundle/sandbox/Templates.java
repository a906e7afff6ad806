// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.sandbox;

import org.dkvm.core.machine.MachineShape;

/** Where saved machines are looked up. */
@FunctionalInterface
public interface Templates {
    /** There are none. */
    Templates NONE = shape -> "";

    /** The directory of one that fits a machine of this shape, which has neither disks nor a network of others; empty where there is none. */
    String directoryFor(MachineShape shape);
}
