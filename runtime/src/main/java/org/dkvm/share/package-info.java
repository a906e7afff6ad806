// SPDX-License-Identifier: Apache-2.0
/** The filesystem that the VM shares with its sandbox: virtiofsd. */
@NullMarked
package org.dkvm.share;

import org.jspecify.annotations.NullMarked;
