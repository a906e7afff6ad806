// SPDX-License-Identifier: Apache-2.0
package org.dkvm.vm;

import org.dkvm.core.MemorySize;
import org.dkvm.core.machine.Accelerator;

/**
 * What a VM is, in short.
 *
 * @param kernel the kernel's name
 * @param accelerator how it runs
 * @param cpus its processors
 * @param memory its memory
 */
public record VmSummary(String kernel, Accelerator accelerator, int cpus, MemorySize memory) {}
