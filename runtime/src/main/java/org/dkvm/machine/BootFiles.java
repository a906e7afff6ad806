// SPDX-License-Identifier: Apache-2.0
package org.dkvm.machine;

import java.nio.file.Path;

/**
 * What QEMU loads to boot a kernel.
 *
 * @param directory where the kernel's image and its initramfs are
 * @param initramfs the file name of that one
 */
public record BootFiles(Path directory, String initramfs) {}
