// SPDX-License-Identifier: Apache-2.0
/** The engine's spec, read and checked. */
@NullMarked
package org.dkvm.bundle.spec;

import org.jspecify.annotations.NullMarked;
