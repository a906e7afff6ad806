// SPDX-License-Identifier: Apache-2.0
/** The sandbox's network as the engine made it, how a VM takes it over (docs/networking.md), and the guest's questions for names. */
@NullMarked
package org.dkvm.network;

import org.jspecify.annotations.NullMarked;
