// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.machine;

/**
 * A device of the guest by which a process's terminal is reached, and not over the agent channel.
 *
 * @param name its name in /dev; empty for none
 * @param direct whether the device itself is the terminal, with a size of its own; else a pseudo-terminal is joined to it
 */
public record TerminalDevice(String name, boolean direct) {
    /** The agent channel. */
    public static final TerminalDevice NONE = new TerminalDevice("", false);

    /** Whether there is one. */
    public boolean isPresent() {
        return !name.isEmpty();
    }
}
