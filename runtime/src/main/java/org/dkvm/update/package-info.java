// SPDX-License-Identifier: Apache-2.0
/** What {@code docker update} means for a container that is a VM. */
@NullMarked
package org.dkvm.update;

import org.jspecify.annotations.NullMarked;
