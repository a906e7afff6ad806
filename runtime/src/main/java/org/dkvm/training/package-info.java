// SPDX-License-Identifier: Apache-2.0
/** What the AOT caches are made with: create, exec and a sandbox's life with everything around it played. Nothing else may use it. */
@NullMarked
package org.dkvm.training;

import org.jspecify.annotations.NullMarked;
