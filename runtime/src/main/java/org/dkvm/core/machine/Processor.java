// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.machine;

/**
 * What a VM's processors are.
 *
 * @param accelerator how their instructions are run
 * @param tscKilohertz how often the host's time stamp counter counts, which emulated ones have, too; 0: not told
 */
public record Processor(Accelerator accelerator, long tscKilohertz) {}
