// SPDX-License-Identifier: Apache-2.0
/** The VMs of this host, as people look at them: which there are and were, and where a start's time went. */
@NullMarked
package org.dkvm.vm;

import org.jspecify.annotations.NullMarked;
