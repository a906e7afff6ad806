// SPDX-License-Identifier: Apache-2.0
package org.dkvm.exec;

import java.util.List;

/**
 * Whom a process is run as, and what it may, as a command line says it: what is empty or false is as in the container's own process.
 *
 * @param groups additional group ids
 * @param user {@code uid[:gid]}
 * @param capabilities added to the bounding, permitted and effective set
 * @param noNewPrivileges as in the spec
 */
public record ExecUser(List<String> groups, String user, List<String> capabilities, boolean noNewPrivileges) {}
