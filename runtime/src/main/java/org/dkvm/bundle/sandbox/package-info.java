// SPDX-License-Identifier: Apache-2.0
/** The sandbox's spec, made of the engine's. */
@NullMarked
package org.dkvm.bundle.sandbox;

import org.jspecify.annotations.NullMarked;
