// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.machine;

import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;

/**
 * What a VM shows, and where. See docs/displays.md.
 *
 * @param mode where it is seen
 * @param vga its graphics card
 * @param number VNC's display number: the port above {@link #FIRST_PORT}, or that of the page above {@link #FIRST_WEB_PORT}
 * @param password VNC's
 */
public record Display(DisplayMode mode, Vga vga, int number, VncPassword password) {
    /** No screen at all. */
    public static final Display NONE = new Display(DisplayMode.HEADLESS, Vga.NONE, 0, VncPassword.NONE);

    /** The port of VNC's display 0. */
    public static final int FIRST_PORT = 5900;

    /** The port of display 0 in a browser, which noVNC's own server has. */
    public static final int FIRST_WEB_PORT = 6080;

    /** The last display whose port nobody takes for something else: X servers listen from 6000 on. */
    public static final int MAX_NUMBER = 99;

    /** The card's memory in QEMU, the pictures of its guest and those kept for VNC's clients. */
    private static final MemorySize OVERHEAD = MemorySize.ofMib(64);

    public Display {
        if (number < 0 || number > MAX_NUMBER) {
            throw new IllegalArgumentException("VNC has no display " + number);
        }
        if (mode.showsScreen() && vga == Vga.NONE) {
            throw new IllegalArgumentException("a display needs a graphics card");
        }
        if (mode.speaksVnc() && !password.isGiven()) {
            throw new IllegalArgumentException("VNC is never open to all");
        }
    }

    /** Whether it is {@link #NONE}; see {@link Hardware#isOrdinary}. */
    public boolean isNone() {
        return mode == NONE.mode && vga == NONE.vga;
    }

    /** Whether it shows anything, or has a card that could. */
    public boolean isPresent() {
        return mode != DisplayMode.HEADLESS || vga != Vga.NONE;
    }

    /** Fails where a machine has nothing to show it with. */
    public void checkHardware(Hardware hardware) throws DkvmException {
        if (!isPresent()) {
            return;
        }
        if (hardware.board() == Board.MICROVM && vga != Vga.NONE) {
            throw new DkvmException(
                    "the board \"" + hardware.board().label() + "\" has no place for a graphics card",
                    "give DKVM_MACHINE=" + Board.Q35.label());
        }
        if (hardware.firmware() == Firmware.EFI && mode == DisplayMode.CURSES) {
            throw new DkvmException(
                    "EFI leaves the graphics card no text screen, which DKVM_QEMU_DISPLAY=curses shows",
                    "give DKVM_BIOS=" + Firmware.SEABIOS.label() + ", or DKVM_DISPLAY_MODE=vnc");
        }
    }

    /** The TCP port of the container on which VNC, or the page with it, is served; 0 where none is. */
    public int port() {
        return switch (mode) {
            case HEADLESS, SERIAL, CURSES -> 0;
            case VNC -> FIRST_PORT + number;
            case WEB -> FIRST_WEB_PORT + number;
        };
    }

    /** What a sandbox needs for it beyond its VM's memory. */
    public MemorySize overhead() {
        return vga == Vga.NONE ? new MemorySize(0) : OVERHEAD;
    }
}
