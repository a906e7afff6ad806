// SPDX-License-Identifier: Apache-2.0
/** What Docker promises, held by running each case under runc and under DKVM: both must agree to the byte. */
@NullMarked
package org.dkvm.e2e;

import org.jspecify.annotations.NullMarked;
