// SPDX-License-Identifier: Apache-2.0
package org.dkvm.exec;

import java.nio.file.Path;
import java.util.List;
import org.dkvm.core.ContainerId;

/**
 * What {@code runc exec} is asked.
 *
 * @param id the container
 * @param state the directory where the runtime keeps the container's state
 * @param source what describes the process
 */
public record ExecRequest(ContainerId id, Path state, Source source) {
    /** What describes the process to run. */
    public sealed interface Source permits ProcessFile, Arguments {}

    /** A file with a process as in a spec: what engines use. */
    public record ProcessFile(Path path) implements Source {}

    /**
     * A process as the command line describes it: what is empty or false comes from the container's own process.
     *
     * @param args the program and its arguments
     * @param cwd working directory
     * @param env more {@code NAME=value}
     * @param terminal whether it runs on a terminal
     * @param user whom it is run as, and what it may
     */
    public record Arguments(List<String> args, String cwd, List<String> env, boolean terminal, ExecUser user)
            implements Source {}
}
