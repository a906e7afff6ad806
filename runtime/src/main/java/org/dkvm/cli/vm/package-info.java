// SPDX-License-Identifier: Apache-2.0
/** The commands about VMs: {@code dkvm ps}, {@code top}, {@code stats}, {@code logs}, {@code timeline}. */
@NullMarked
package org.dkvm.cli.vm;

import org.jspecify.annotations.NullMarked;
