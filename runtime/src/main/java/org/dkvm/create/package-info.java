// SPDX-License-Identifier: Apache-2.0
@NullMarked
package org.dkvm.create;

import org.jspecify.annotations.NullMarked;
