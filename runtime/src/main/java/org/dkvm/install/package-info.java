// SPDX-License-Identifier: Apache-2.0
/** What the install scripts let Java do: Docker's configuration. */
@NullMarked
package org.dkvm.install;

import org.jspecify.annotations.NullMarked;
