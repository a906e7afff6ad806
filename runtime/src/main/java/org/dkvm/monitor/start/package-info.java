// SPDX-License-Identifier: Apache-2.0
/** The start of a VM: disks, screen, network and records that it is told, and how long each phase may take. */
@NullMarked
package org.dkvm.monitor.start;

import org.jspecify.annotations.NullMarked;
