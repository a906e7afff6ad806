// SPDX-License-Identifier: Apache-2.0
@NullMarked
package org.dkvm.core;

import org.jspecify.annotations.NullMarked;
