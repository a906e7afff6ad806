// SPDX-License-Identifier: Apache-2.0
package org.dkvm.machine;

/**
 * A disk of the VM.
 *
 * @param descriptor the number of its open file in QEMU
 * @param serial its serial number, at most 20 characters, by which the guest finds it
 */
public record MachineDisk(int descriptor, String serial) {}
