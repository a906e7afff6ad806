// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.container;

import java.util.List;

/**
 * A process to run in the guest: the container's own or an exec'ed one (OCI runtime spec, config.md, "process").
 *
 * @param args the program and its arguments, at least one
 * @param env {@code NAME=value}, in order
 * @param cwd absolute path
 * @param uid user id
 * @param gid group id
 * @param groups additional group ids
 * @param terminal whether it runs on a terminal of its own
 * @param capabilities its capability sets
 * @param noNewPrivileges see PR_SET_NO_NEW_PRIVS of prctl(2)
 * @param limits its resource limits
 * @param oomScoreAdj -1000 … 1000
 * @param setHome whether env has no HOME and the agent is to take it from the guest's /etc/passwd
 * @param umask permission bits, 022 unless the spec says otherwise
 */
public record WorkloadProcess(
        List<String> args,
        List<String> env,
        String cwd,
        long uid,
        long gid,
        List<Long> groups,
        boolean terminal,
        CapabilitySets capabilities,
        boolean noNewPrivileges,
        List<ResourceLimit> limits,
        int oomScoreAdj,
        boolean setHome,
        int umask) {
    public WorkloadProcess {
        if (args.isEmpty()) {
            throw new IllegalArgumentException("a process needs at least one argument");
        }
        args = List.copyOf(args);
        env = List.copyOf(env);
        groups = List.copyOf(groups);
        limits = List.copyOf(limits);
    }

    /** The same with another environment. */
    public WorkloadProcess withEnv(List<String> changed) {
        return new WorkloadProcess(
                args,
                changed,
                cwd,
                uid,
                gid,
                groups,
                terminal,
                capabilities,
                noNewPrivileges,
                limits,
                oomScoreAdj,
                setHome,
                umask);
    }
}
