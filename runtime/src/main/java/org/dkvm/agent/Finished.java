// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

/**
 * The agent's last words: all is synced and unmounted.
 *
 * @param reason why
 * @param overridden whether the exit code was set by hand ({@code qemu-exit}, {@code .dkvm/exit-code})
 * @param outOfMemory whether the guest's kernel killed for lack of memory
 * @param exitCode the container's exit code
 */
public record Finished(Reason reason, boolean overridden, boolean outOfMemory, int exitCode) {
    /** Why a guest finished; in the order of the protocol's numbers. */
    public enum Reason {
        EXITED,
        SHUTDOWN,
        REBOOT
    }
}
