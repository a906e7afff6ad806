// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.sandbox;

import java.nio.file.Path;
import org.dkvm.bundle.mounts.GuestModules;
import org.dkvm.core.machine.GuestKernel;

/**
 * What the VM boots.
 *
 * @param kernel the kernel
 * @param directory where that is
 * @param modules its modules
 */
public record BootKernel(GuestKernel kernel, Path directory, GuestModules modules) {}
