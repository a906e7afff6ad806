// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.plan;

/**
 * What the sandbox may.
 *
 * @param sysAdmin whether virtiofsd has CAP_SYS_ADMIN
 * @param memoryCeiling bytes of memory and swap at which the engine's control group kills in it; 0: it has no such limit
 */
public record SandboxRights(boolean sysAdmin, long memoryCeiling) {}
