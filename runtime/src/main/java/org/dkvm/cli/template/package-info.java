// SPDX-License-Identifier: Apache-2.0
/** {@code dkvm template}. */
@NullMarked
package org.dkvm.cli.template;

import org.jspecify.annotations.NullMarked;
