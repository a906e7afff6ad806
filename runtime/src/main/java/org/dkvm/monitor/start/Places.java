// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.start;

import java.nio.file.Path;
import org.dkvm.core.SandboxPaths;
import org.dkvm.machine.Machine;

/**
 * Where a monitor finds things: one sandbox's, or a test's.
 *
 * @param run a directory for sockets
 * @param plan sandbox.json
 * @param share what virtiofsd serves
 * @param kernel the kernel's directory
 * @param terminfo descriptions of terminals
 * @param mounts what is mounted, see proc_pid_mountinfo(5)
 */
public record Places(Path run, Path plan, Path share, Path kernel, Path terminfo, Path mounts) {
    /** The container's terminal, where it has one: the OCI runtime puts it there. */
    private static final String TERMINAL = "/dev/console";

    private static final String TERMINFO = "/usr/share/terminfo";
    private static final String MOUNTS = "/proc/self/mountinfo";

    /** The places of the sandbox this process is in. */
    public static Places ofSandbox() {
        return new Places(
                Path.of(SandboxPaths.RUN),
                Path.of(SandboxPaths.PLAN),
                Path.of(SandboxPaths.SHARE),
                Path.of(SandboxPaths.KERNEL),
                Path.of(TERMINFO),
                Path.of(MOUNTS));
    }

    public Machine.Sockets sockets() {
        return new Machine.Sockets(
                run.resolve("agent.sock"),
                run.resolve("control.sock"),
                run.resolve("console.sock"),
                run.resolve("share.sock"),
                Path.of(TERMINAL));
    }

    public Path sessionSocket() {
        return run.resolve("monitor.sock");
    }

    /** The plans of a pod's further containers. */
    public Path plans() {
        return run.resolve("plans");
    }

    /** Where dkvm-sockets connects to. */
    public Path guestSockets() {
        return run.resolve("guest-sockets.sock");
    }

    /** Where dkvm-locks connects to. */
    public Path guestLocks() {
        return run.resolve("guest-locks.sock");
    }

    /** Where dkvm-events connects to. */
    public Path fileEvents() {
        return run.resolve("file-events.sock");
    }

    /** Where dkvm-forward connects to. */
    public Path forward() {
        return run.resolve("forward.sock");
    }

    /** Where dkvm-init takes what is to be started. */
    public Path starter() {
        return run.resolve("start.sock");
    }

    /** Where dkvm-network takes what is to be changed. */
    public Path network() {
        return run.resolve("network.sock");
    }

    public Path timeline() {
        return run.resolve("log/timeline.json");
    }

    /** The same of the further containers of a pod. */
    public Path memberTimelines() {
        return run.resolve("log/members.json");
    }

    /** Made where the VM's template turned out not to be good: dkvm-keep takes that out of use. */
    public Path notRestored() {
        return run.resolve("log/not-restored");
    }

    /** What the guest's serial port said last; an older part beside it. */
    public Path console() {
        return run.resolve("log/console.log");
    }
}
