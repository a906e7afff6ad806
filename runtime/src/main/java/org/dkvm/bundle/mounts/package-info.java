// SPDX-License-Identifier: Apache-2.0
/** A container's mounts, as the sandbox and the guest make them. */
@NullMarked
package org.dkvm.bundle.mounts;

import org.jspecify.annotations.NullMarked;
