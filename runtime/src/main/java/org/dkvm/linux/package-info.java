// SPDX-License-Identifier: Apache-2.0
@NullMarked
package org.dkvm.linux;

import org.jspecify.annotations.NullMarked;
