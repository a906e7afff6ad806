// SPDX-License-Identifier: Apache-2.0
@NullMarked
package org.dkvm.bundle;

import org.jspecify.annotations.NullMarked;
