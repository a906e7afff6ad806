// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.container;

/** A device's type and number. See mknod(2). */
public record DeviceNumber(boolean block, int major, int minor) {}
