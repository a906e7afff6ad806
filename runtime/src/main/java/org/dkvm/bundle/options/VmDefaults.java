// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.options;

import org.dkvm.core.MemorySize;

/**
 * What a VM is where its container does not say.
 *
 * @param acceleration how it runs
 * @param kernel {@code <dist>[/<version>]}, or {@code match}: by the image's distribution
 * @param memory its memory
 * @param cpus its CPUs; 0: as many as the host has
 * @param template whether it is restored where a template fits
 */
public record VmDefaults(Acceleration acceleration, String kernel, MemorySize memory, int cpus, TemplateUse template) {}
