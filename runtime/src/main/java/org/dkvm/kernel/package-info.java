// SPDX-License-Identifier: Apache-2.0
@NullMarked
package org.dkvm.kernel;

import org.jspecify.annotations.NullMarked;
