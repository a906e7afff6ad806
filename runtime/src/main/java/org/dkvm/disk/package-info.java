// SPDX-License-Identifier: Apache-2.0
/** Disks whose content is a file: the program of the sandbox that makes, locks and hands them over. */
@NullMarked
package org.dkvm.disk;

import org.jspecify.annotations.NullMarked;
