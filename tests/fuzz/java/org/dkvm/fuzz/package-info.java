// SPDX-License-Identifier: Apache-2.0
/** What the fuzz targets share, and the test that plays their corpora. */
@NullMarked
package org.dkvm.fuzz;

import org.jspecify.annotations.NullMarked;
