// SPDX-License-Identifier: Apache-2.0
/** Watches one VM from inside its sandbox: starts it, passes the sessions' bytes, and ends with the workload's exit code. */
@NullMarked
package org.dkvm.monitor;

import org.jspecify.annotations.NullMarked;
