// SPDX-License-Identifier: Apache-2.0
/** The administrator's and the user's options. */
@NullMarked
package org.dkvm.bundle.options;

import org.jspecify.annotations.NullMarked;
