// SPDX-License-Identifier: Apache-2.0
package org.dkvm.exec;

import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.SandboxPaths;
import org.dkvm.core.container.CapabilitySets;
import org.dkvm.core.container.ResourceLimit;
import org.dkvm.core.container.WorkloadProcess;

/** The command line of {@code dkvm-exec}, which runs in the sandbox and asks the monitor for the process; its environment has the process's. */
final class ExecCommand {
    /** Before the name of each variable of the process: dkvm-exec takes it away. */
    static final String VARIABLE = "+";

    private static final int DEFAULT_UMASK = 022;

    private ExecCommand() {}

    static List<String> of(WorkloadProcess process, int member) {
        List<String> command = new ArrayList<>();
        command.add(SandboxPaths.PACKAGE + "/dkvm-exec");
        if (member > 0) {
            command.add("--container");
            command.add(String.valueOf(member));
        }
        command.add("--user");
        command.add(process.user().uid() + ":" + process.user().gid());
        if (!process.user().groups().isEmpty()) {
            command.add("--groups");
            command.add(joined(process.user().groups()));
        }
        command.add("--cwd");
        command.add(process.command().cwd());
        command.add("--caps");
        command.add(masks(process.rights().capabilities()));
        if (process.rights().noNewPrivileges()) {
            command.add("--no-new-privs");
        }
        for (ResourceLimit limit : process.rights().limits()) {
            command.add("--rlimit");
            command.add(limit.resource() + ":" + Long.toUnsignedString(limit.soft()) + ":"
                    + Long.toUnsignedString(limit.hard()));
        }
        if (process.rights().oomScoreAdj() != 0) {
            command.add("--oom-score-adj");
            command.add(Integer.toString(process.rights().oomScoreAdj()));
        }
        if (process.command().setHome()) {
            command.add("--set-home");
        }
        if (process.user().umask() != DEFAULT_UMASK) {
            command.add("--umask");
            command.add(Integer.toString(process.user().umask()));
        }
        if (process.terminal()) {
            command.add("--tty");
        }
        command.add("--");
        command.addAll(process.command().args());
        return command;
    }

    private static String joined(List<Long> groups) {
        StringBuilder text = new StringBuilder();
        for (Long group : groups) {
            text.append(text.isEmpty() ? "" : ",").append(group);
        }
        return text.toString();
    }

    private static String masks(CapabilitySets sets) {
        return Long.toHexString(sets.bounding())
                + ":"
                + Long.toHexString(sets.effective())
                + ":"
                + Long.toHexString(sets.permitted())
                + ":"
                + Long.toHexString(sets.inheritable())
                + ":"
                + Long.toHexString(sets.ambient());
    }
}
