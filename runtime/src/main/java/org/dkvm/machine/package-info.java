// SPDX-License-Identifier: Apache-2.0
/** The virtual machine: QEMU's command line and its control protocol. */
@NullMarked
package org.dkvm.machine;

import org.jspecify.annotations.NullMarked;
