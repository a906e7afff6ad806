// SPDX-License-Identifier: Apache-2.0
/** One thread that waits for sockets and timers. */
@NullMarked
package org.dkvm.monitor.loop;

import org.jspecify.annotations.NullMarked;
