// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.container;

import java.util.List;

/**
 * Whom a process is run as. See credentials(7).
 *
 * @param uid user id
 * @param gid group id
 * @param groups additional group ids
 * @param umask permission bits, 022 unless the spec says otherwise
 */
public record ProcessUser(long uid, long gid, List<Long> groups, int umask) {
    public ProcessUser {
        groups = List.copyOf(groups);
    }
}
