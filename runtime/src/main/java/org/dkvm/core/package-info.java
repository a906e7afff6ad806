// SPDX-License-Identifier: Apache-2.0
/** Values that check themselves, and what can go wrong. */
@NullMarked
package org.dkvm.core;

import org.jspecify.annotations.NullMarked;
