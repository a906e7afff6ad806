// SPDX-License-Identifier: Apache-2.0
@NullMarked
package org.dkvm.json;

import org.jspecify.annotations.NullMarked;
