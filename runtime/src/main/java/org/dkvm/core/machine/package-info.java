// SPDX-License-Identifier: Apache-2.0
/** Values of a machine: processor, board, kernel, disks, display. */
@NullMarked
package org.dkvm.core.machine;

import org.jspecify.annotations.NullMarked;
