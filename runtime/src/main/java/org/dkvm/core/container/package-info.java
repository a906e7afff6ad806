// SPDX-License-Identifier: Apache-2.0
/** Values of a container: process, mounts, devices, limits. */
@NullMarked
package org.dkvm.core.container;

import org.jspecify.annotations.NullMarked;
