// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.container;

/**
 * Who may open a device's node.
 *
 * @param mode its permissions
 * @param uid its user
 * @param gid its group
 */
public record NodeAccess(int mode, long uid, long gid) {}
