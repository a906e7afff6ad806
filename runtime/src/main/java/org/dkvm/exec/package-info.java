// SPDX-License-Identifier: Apache-2.0
@NullMarked
package org.dkvm.exec;

import org.jspecify.annotations.NullMarked;
