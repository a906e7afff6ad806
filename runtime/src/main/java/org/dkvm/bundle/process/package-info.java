// SPDX-License-Identifier: Apache-2.0
/** A container's process, as the engine's spec has it. */
@NullMarked
package org.dkvm.bundle.process;

import org.jspecify.annotations.NullMarked;
