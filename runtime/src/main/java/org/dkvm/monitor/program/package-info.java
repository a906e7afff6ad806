// SPDX-License-Identifier: Apache-2.0
/** The programs that the monitor starts. */
@NullMarked
package org.dkvm.monitor.program;

import org.jspecify.annotations.NullMarked;
