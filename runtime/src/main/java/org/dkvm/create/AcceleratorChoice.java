// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import org.dkvm.bundle.options.Acceleration;
import org.dkvm.core.DkvmException;
import org.dkvm.core.machine.Accelerator;

/** Decides how a VM runs on this host. */
public interface AcceleratorChoice {
    /** The accelerator for a wish; fails when KVM is asked for and does not work here. */
    Accelerator choose(Acceleration wish) throws DkvmException;
}
