// SPDX-License-Identifier: Apache-2.0
package org.dkvm.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.dkvm.core.Architecture;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.core.machine.Display;
import org.dkvm.core.machine.DisplayMode;
import org.dkvm.core.machine.GuestKernel;
import org.dkvm.core.machine.Vga;
import org.dkvm.core.machine.VncPassword;
import org.junit.jupiter.api.Test;

class DisplayArgumentsTest {
    private static final VncPassword PASSWORD = new VncPassword("sesame", "");

    /** The words of QEMU's command line that the display makes, one option with its value a line. */
    private static String lines(Display display) {
        Machine with = machine(display);
        List<String> plain = QemuCommand.argv(machine(Display.NONE));
        StringBuilder text = new StringBuilder();
        List<String> argv = QemuCommand.argv(with);
        for (int i = 0; i + 1 < argv.size(); i++) {
            String option = argv.get(i) + " " + argv.get(i + 1);
            if (argv.get(i).startsWith("-") && !String.join(" ", plain).contains(option)) {
                text.append(option).append('\n');
            }
        }
        return text.toString();
    }

    private static Machine machine(Display display) {
        return Machines.with(Accelerator.KVM)
                .kernel(new GuestKernel("debian/6.12", Architecture.AMD64, "vmlinuz", "", false))
                .display(display)
                .machine();
    }

    @Test
    void vncListensWithAPasswordThatNoCommandLineShows() {
        assertThat(lines(new Display(DisplayMode.VNC, Vga.VIRTIO, 7, PASSWORD))).isEqualTo("""
                -vnc :7,password=on
                -append console=ttyS0 console=tty0 panic=-1 quiet
                -device virtio-vga,max_hostmem=64M
                -device virtio-keyboard-pci
                -device virtio-tablet-pci
                """);
    }

    @Test
    void aBrowsersWebsocketComesByASocketOfTheSandbox() {
        assertThat(lines(new Display(DisplayMode.WEB, Vga.VIRTIO, 7, PASSWORD))).isEqualTo("""
                        -vnc unix:/run/dkvm/screen/plain,password=on,websocket=unix:/run/dkvm/screen/websocket
                        -append console=ttyS0 console=tty0 panic=-1 quiet
                        -device virtio-vga,max_hostmem=64M
                        -device virtio-keyboard-pci
                        -device virtio-tablet-pci
                        """);
    }

    @Test
    void cursesDrawsATextScreenThatNoDriverTakesAway() {
        assertThat(lines(new Display(DisplayMode.CURSES, Vga.STD, 0, VncPassword.NONE)))
                .isEqualTo("""
                -display curses
                -append console=ttyS0 console=tty0 nomodeset panic=-1 quiet
                -device VGA
                -device virtio-keyboard-pci
                """);
    }

    @Test
    void theSerialPortIsTheContainersTerminal() {
        assertThat(lines(new Display(DisplayMode.SERIAL, Vga.NONE, 0, VncPassword.NONE)))
                .isEqualTo("""
                        -add-fd fd=15,set=100
                        -add-fd fd=16,set=101
                        -chardev file,id=console,path=/dev/fdset/101,input-path=/dev/fdset/100,append=on
                        """);
    }

    @Test
    void aCardNeedsNobodyToLookAtIt() {
        assertThat(lines(new Display(DisplayMode.HEADLESS, Vga.STD, 0, VncPassword.NONE)))
                .isEqualTo("-device VGA\n");
    }
}
