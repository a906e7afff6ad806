// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.machine;

/** Where a VM's screen is seen. */
public enum DisplayMode {
    /** Nowhere: the workload has the container's stdio, and nothing else is to be seen. */
    HEADLESS,
    /** The container's terminal is the guest's serial port. */
    SERIAL,
    /** The container's terminal shows the guest's text screen, drawn by QEMU. */
    CURSES,
    /** A VNC client shows the guest's screen; the workload has the container's stdio. */
    VNC,
    /** A browser does: as by VNC, with the page that speaks it. */
    WEB;

    /** By which device of the guest the workload's terminal is reached. */
    public TerminalDevice terminal() {
        return switch (this) {
            case HEADLESS, VNC, WEB -> TerminalDevice.NONE;
            case SERIAL -> new TerminalDevice("ttyS0", false);
            case CURSES -> new TerminalDevice("tty1", true);
        };
    }

    /** Whether QEMU itself reads and writes the container's terminal. */
    public boolean takesTerminal() {
        return this == SERIAL || this == CURSES;
    }

    /** Whether QEMU serves VNC, which asks for a password: clients, or what a page connects. */
    public boolean speaksVnc() {
        return this == VNC || this == WEB;
    }

    /** Whether the guest has a screen that somebody looks at. */
    public boolean showsScreen() {
        return this == CURSES || speaksVnc();
    }
}
