// SPDX-License-Identifier: Apache-2.0
/** The end of a VM: who died, and which exit code that is. */
@NullMarked
package org.dkvm.monitor.end;

import org.jspecify.annotations.NullMarked;
