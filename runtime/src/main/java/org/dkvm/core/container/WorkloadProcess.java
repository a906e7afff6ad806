// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.container;

import java.util.List;

/**
 * A process to run in the guest: the container's own or an exec'ed one (OCI runtime spec, config.md, "process").
 *
 * @param command what it runs
 * @param terminal whether it runs on a terminal of its own
 * @param user whom it is run as
 * @param rights what it may
 */
public record WorkloadProcess(Command command, boolean terminal, ProcessUser user, ProcessRights rights) {
    /** The same with another environment. */
    public WorkloadProcess withEnv(List<String> changed) {
        return new WorkloadProcess(
                new Command(command.args(), command.cwd(), changed, command.setHome()), terminal, user, rights);
    }
}
