// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.util.List;

/**
 * Who asks for a file: the ids that the kernel's permission check looks at (path_resolution(7)).
 *
 * @param uid user id
 * @param gid group id
 * @param groups additional group ids
 * @param overrides whether CAP_DAC_OVERRIDE is in force
 */
public record FileUser(long uid, long gid, List<Long> groups, boolean overrides) {
    private static final int OWNER_EXECUTE = 0100;
    private static final int GROUP_EXECUTE = 0010;
    private static final int OTHERS_EXECUTE = 0001;

    /**
     * Whether a file's mode surely forbids its execution, or a directory's the way through it. An access control list grants no more than the mode's group bits, which
     * show its mask (acl(5)). Not for a user who overrides modes: where anybody may, that one may.
     *
     * @param mode the mode as stat(2) has it
     */
    boolean isBarred(int mode, long owner, long group) {
        if (uid == owner) {
            return (mode & OWNER_EXECUTE) == 0;
        }
        if ((mode & GROUP_EXECUTE) != 0) {
            // For the group, or by a list for somebody else: the guest's kernel knows.
            return false;
        }
        return gid == group || groups.contains(group) || (mode & OTHERS_EXECUTE) == 0;
    }
}
