// SPDX-License-Identifier: Apache-2.0
/** What of the host is looked at, and the state that the runtime below keeps. */
@NullMarked
package org.dkvm.bundle.host;

import org.jspecify.annotations.NullMarked;
