// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.machine;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.dkvm.core.Architecture;
import org.dkvm.core.DkvmException;
import org.junit.jupiter.api.Test;

class DisplayTest {
    private static final Display CURSES = new Display(DisplayMode.CURSES, Vga.STD, 0, VncPassword.NONE);
    private static final Display SERIAL = new Display(DisplayMode.SERIAL, Vga.NONE, 0, VncPassword.NONE);
    private static final Display VNC = new Display(DisplayMode.VNC, Vga.VIRTIO, 0, new VncPassword("open", ""));
    private static final Hardware MICROVM = new Hardware(Board.MICROVM, Firmware.SEABIOS);
    private static final Hardware EFI = new Hardware(Board.Q35, Firmware.EFI);

    @Test
    void whatAMachineCanShowPasses() throws DkvmException {
        Display.NONE.checkMachine(Architecture.ARM64, Hardware.ORDINARY);
        SERIAL.checkMachine(Architecture.AMD64, MICROVM);
        CURSES.checkMachine(Architecture.AMD64, Hardware.ORDINARY);
        VNC.checkMachine(Architecture.AMD64, EFI);
    }

    @Test
    void whatAMachineHasNothingToShowWithIsRefused() {
        refuses(VNC, Architecture.AMD64, MICROVM, "no place for a graphics card");
        refuses(CURSES, Architecture.AMD64, EFI, "no text screen");
        refuses(SERIAL, Architecture.ARM64, Hardware.ORDINARY, "a machine for arm64 has no display");
    }

    @Test
    void aDisplayThatMakesNoSenseIsNone() {
        assertThatThrownBy(() -> new Display(DisplayMode.VNC, Vga.STD, 0, VncPassword.NONE))
                .hasMessageContaining("VNC is never open to all");
        assertThatThrownBy(() -> new Display(DisplayMode.CURSES, Vga.NONE, 0, VncPassword.NONE))
                .hasMessageContaining("graphics card");
        assertThatThrownBy(() -> new Display(DisplayMode.HEADLESS, Vga.NONE, 100, VncPassword.NONE))
                .hasMessageContaining("no display 100");
    }

    private static void refuses(Display display, Architecture architecture, Hardware hardware, String text) {
        assertThatThrownBy(() -> display.checkMachine(architecture, hardware)).hasMessageContaining(text);
    }
}
