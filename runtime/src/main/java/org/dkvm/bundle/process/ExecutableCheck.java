// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.process;

import java.util.Optional;
import org.dkvm.core.DkvmException;
import org.dkvm.core.RuncMessages;
import org.dkvm.core.container.WorkloadProcess;
import org.dkvm.linux.ExecutableLookup;
import org.dkvm.linux.FileUser;
import org.dkvm.linux.RootedTree;

/** Refuses a process whose program is not in the image, in runc's words: engines make exit codes 126 and 127 of them. */
public final class ExecutableCheck {
    private ExecutableCheck() {}

    /**
     * Looks the program up; one that the guest alone can find passes.
     *
     * @param running whether the container runs already
     * @return where the program is in the tree, without links; empty for one that the guest alone can find
     */
    public static String check(WorkloadProcess process, RootedTree tree, RuncMessages.Action action, boolean running)
            throws DkvmException {
        // Of a new container runc makes the directory; of a running one it does not.
        if (running && tree.find(process.command().cwd()).kind() == RootedTree.Kind.MISSING) {
            throw new ExecutableException(RuncMessages.noSuchWorkingDirectory(
                    action, process.command().cwd()));
        }
        String program = process.command().args().getFirst();
        ExecutableLookup.Result result = new ExecutableLookup(tree, user(process), running)
                .find(program, process.command().env(), process.command().cwd());
        Optional<String> message = message(result, action, program);
        if (message.isPresent()) {
            throw new ExecutableException(message.get());
        }
        return result.file();
    }

    private static Optional<String> message(
            ExecutableLookup.Result result, RuncMessages.Action action, String program) {
        return switch (result.outcome()) {
            case FOUND, UNKNOWN -> Optional.empty();
            case NOT_IN_PATH -> Optional.of(RuncMessages.notFoundInPath(action, program));
            case RELATIVE -> Optional.of(RuncMessages.relativeToDirectory(action, program));
            case NO_SUCH_FILE -> Optional.of(RuncMessages.noSuchFile(action, program));
            case NOT_A_DIRECTORY -> Optional.of(RuncMessages.notADirectory(action, program));
            case TOO_MANY_LINKS -> Optional.of(RuncMessages.tooManyLinks(action, program));
            case PERMISSION_DENIED -> Optional.of(RuncMessages.permissionDenied(action, program));
            case WAY_BARRED -> Optional.of(RuncMessages.wayBarred(action, program));
            case EXECUTION_BARRED -> Optional.of(RuncMessages.executionBarred(action, result.name()));
        };
    }

    private static FileUser user(WorkloadProcess process) {
        boolean overrides = (process.rights().capabilities().effective() & CapabilityNames.DAC_OVERRIDE) != 0;
        return new FileUser(
                process.user().uid(), process.user().gid(), process.user().groups(), overrides);
    }

    /** Carries a message of runc's that must reach the engine as it is. */
    public static final class ExecutableException extends DkvmException {
        private static final long serialVersionUID = 1L;

        ExecutableException(String message) {
            super(message, "");
        }
    }
}
