// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.container;

import java.util.List;

/**
 * What a process runs.
 *
 * @param args the program and its arguments, at least one
 * @param cwd absolute path
 * @param env {@code NAME=value}, in order
 * @param setHome whether env has no HOME and the agent is to take it from the guest's /etc/passwd
 */
public record Command(List<String> args, String cwd, List<String> env, boolean setHome) {
    public Command {
        if (args.isEmpty()) {
            throw new IllegalArgumentException("a process needs at least one argument");
        }
        args = List.copyOf(args);
        env = List.copyOf(env);
    }
}
