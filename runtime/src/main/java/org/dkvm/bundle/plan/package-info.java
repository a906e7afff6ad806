// SPDX-License-Identifier: Apache-2.0
/** The plan that create leaves for the monitor: sandbox.json. */
@NullMarked
package org.dkvm.bundle.plan;

import org.jspecify.annotations.NullMarked;
