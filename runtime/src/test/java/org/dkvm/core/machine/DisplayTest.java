// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.machine;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
        Display.NONE.checkHardware(Hardware.ORDINARY);
        SERIAL.checkHardware(MICROVM);
        CURSES.checkHardware(Hardware.ORDINARY);
        VNC.checkHardware(EFI);
    }

    @Test
    void whatAMachineHasNothingToShowWithIsRefused() {
        refuses(VNC, MICROVM, "no place for a graphics card");
        refuses(CURSES, EFI, "no text screen");
    }

    @Test
    void aDisplayThatMakesNoSenseIsNone() {
        assertThatThrownBy(() -> new Display(DisplayMode.VNC, Vga.STD, 0, VncPassword.NONE))
                .hasMessageContaining("VNC is never open to all");
        assertThatThrownBy(() -> new Display(DisplayMode.WEB, Vga.STD, 0, VncPassword.NONE))
                .hasMessageContaining("VNC is never open to all");
        assertThatThrownBy(() -> new Display(DisplayMode.CURSES, Vga.NONE, 0, VncPassword.NONE))
                .hasMessageContaining("graphics card");
        assertThatThrownBy(() -> new Display(DisplayMode.HEADLESS, Vga.NONE, 100, VncPassword.NONE))
                .hasMessageContaining("no display 100");
    }

    private static void refuses(Display display, Hardware hardware, String text) {
        assertThatThrownBy(() -> display.checkHardware(hardware)).hasMessageContaining(text);
    }
}
