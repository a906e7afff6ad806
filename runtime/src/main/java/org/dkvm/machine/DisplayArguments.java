// SPDX-License-Identifier: Apache-2.0
package org.dkvm.machine;

import java.util.List;
import org.dkvm.core.machine.Display;

/** The part of QEMU's command line about what a machine shows: screen, serial port, keyboard. */
final class DisplayArguments {
    private static final String PASSWORD = "vnc-password";
    /** What QEMU keeps of the guest's pictures at most: two of 4096 by 2048 points. */
    private static final String PICTURES = "64M";

    private DisplayArguments() {}

    /** Where QEMU draws. */
    static void screen(List<String> argv, Machine machine) {
        Display display = machine.shape().display();
        switch (display.mode()) {
            case HEADLESS, SERIAL -> QemuCommand.add(argv, "-display", "none");
            case CURSES -> QemuCommand.add(argv, "-display", "curses");
            case VNC -> {
                QemuCommand.add(argv, "-display", "none");
                // A file, since everybody on the host can read a command line.
                String file = machine.sockets().vncPassword().toString();
                QemuCommand.add(argv, "-object", "secret,id=" + PASSWORD + ",file=" + QemuCommand.value(file));
                // All addresses of the sandbox: what reaches it is a matter of its network.
                QemuCommand.add(argv, "-vnc", ":" + display.number() + ",password-secret=" + PASSWORD);
            }
        }
    }

    /** The serial port: the monitor's socket, or the sandbox's own terminal. */
    static void serial(List<String> argv, Machine machine) {
        switch (machine.shape().display().mode()) {
            case HEADLESS, CURSES, VNC ->
                QemuCommand.socket(argv, "console", machine.sockets().console());
            case SERIAL -> {
                String terminal = machine.sockets().terminal().toString();
                // A file, for QEMU changes the modes of what it takes for a terminal, and dkvm-init has done so.
                String path = QemuCommand.value(terminal);
                QemuCommand.add(
                        argv, "-chardev", "file,id=console,path=" + path + ",input-path=" + path + ",append=on");
            }
        }
        QemuCommand.add(argv, "-serial", "chardev:console");
    }

    /** Graphics card, keyboard and pointer. */
    static void devices(List<String> argv, Machine machine) {
        Display display = machine.shape().display();
        switch (display.vga()) {
            case NONE -> {}
            case STD -> QemuCommand.add(argv, "-device", "VGA");
            case VIRTIO -> QemuCommand.add(argv, "-device", "virtio-vga,max_hostmem=" + PICTURES);
        }
        switch (display.mode()) {
            case HEADLESS, SERIAL -> {}
            case CURSES -> QemuCommand.add(argv, "-device", "virtio-keyboard-pci");
            case VNC ->
                // The tablet's pointer is where the client's is.
                QemuCommand.add(argv, "-device", "virtio-keyboard-pci", "-device", "virtio-tablet-pci");
        }
    }

    /** The kernel's parameters; the serial console stays, for the last words of a kernel that panics. */
    static String kernelParameters(Display display) {
        return switch (display.mode()) {
            case HEADLESS, SERIAL -> "";
            // Text is drawn while the card is in text mode: no driver may take it out of that.
            case CURSES -> " console=tty0 nomodeset";
            case VNC -> " console=tty0";
        };
    }
}
