// SPDX-License-Identifier: Apache-2.0
/** The containers of a pod, on the host (docs/adr/0019-pods.md). */
@NullMarked
package org.dkvm.create.pod;

import org.jspecify.annotations.NullMarked;
