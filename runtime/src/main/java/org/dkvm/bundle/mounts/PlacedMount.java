// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.mounts;

import org.dkvm.core.container.GuestMount;

/**
 * A mount of the guest's, and where its target leads as far as that can be seen from outside.
 *
 * @param resolved the target without links
 */
record PlacedMount(GuestMount mount, String resolved) {}
