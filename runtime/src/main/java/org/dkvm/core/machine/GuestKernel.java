// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.machine;

import org.dkvm.core.Architecture;

/**
 * The kernel a VM boots.
 *
 * @param name {@code <dist>/<version>}, for people
 * @param architecture what it, and so the VM, is built for
 * @param image file name in the kernel's directory: {@code vmlinux} (started by PVH) or {@code vmlinuz}
 * @param append more kernel parameters, from {@code DKVM_KERNEL_APPEND}; empty for none
 * @param debug whether the kernel's log goes to the console ({@code DKVM_KERNEL_DEBUG})
 */
public record GuestKernel(String name, Architecture architecture, String image, String append, boolean debug) {}
