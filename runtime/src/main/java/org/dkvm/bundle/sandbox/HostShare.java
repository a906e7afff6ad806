// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.sandbox;

import org.dkvm.core.MemorySize;
import org.dkvm.core.machine.Processor;

/**
 * What the host has for a VM.
 *
 * @param cpus its CPUs that are online
 * @param memory its memory
 * @param processor what a VM's processors are on it
 * @param vhostNet whether its kernel carries the VM's packets
 * @param users whose ids the sandbox's programs have
 * @param openFiles how many files each process of the sandbox may have open, virtiofsd above all; 0: as many as the engine lets it
 */
public record HostShare(
        int cpus, MemorySize memory, Processor processor, boolean vhostNet, SandboxUsers users, long openFiles) {}
