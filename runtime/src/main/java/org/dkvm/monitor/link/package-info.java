// SPDX-License-Identifier: Apache-2.0
/** The connections to the agent, to clients, to the console and to QEMU. */
@NullMarked
package org.dkvm.monitor.link;

import org.jspecify.annotations.NullMarked;
