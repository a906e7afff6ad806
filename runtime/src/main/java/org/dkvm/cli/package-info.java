// SPDX-License-Identifier: Apache-2.0
@NullMarked
package org.dkvm.cli;

import org.jspecify.annotations.NullMarked;
