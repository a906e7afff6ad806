// SPDX-License-Identifier: Apache-2.0
package org.dkvm.machine;

import java.util.List;
import org.dkvm.core.SandboxPaths;
import org.dkvm.core.machine.Display;

/** The part of QEMU's command line about what a machine shows: screen, serial port, keyboard. */
final class DisplayArguments {
    /** Numbers of sets of descriptors, far from the disks'. */
    private static final int INPUT_SET = 100;

    private static final int OUTPUT_SET = 101;
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
                // Everybody on the host can read a command line: the password comes by the control socket, and nobody
                // can log
                // in before. All addresses of the sandbox: what reaches it is a matter of its network.
                QemuCommand.add(argv, "-vnc", ":" + display.number() + ",password=on");
            }
            case WEB -> {
                QemuCommand.add(argv, "-display", "none");
                // dkvm-web has the port. The plain socket is QEMU's condition for the other: nobody connects to it.
                QemuCommand.add(
                        argv,
                        "-vnc",
                        "unix:" + SandboxPaths.SCREEN + "/plain,password=on,websocket=unix:"
                                + SandboxPaths.SCREEN_SOCKET);
            }
        }
    }

    /** The serial port: the monitor's socket, or the sandbox's own terminal. */
    static void serial(List<String> argv, Machine machine) {
        switch (machine.shape().display().mode()) {
            case HEADLESS, CURSES, VNC, WEB -> QemuCommand.socket(argv, machine, "console", QemuDescriptors.CONSOLE);
            case SERIAL -> {
                QemuCommand.add(argv, "-add-fd", "fd=" + QemuDescriptors.TERMINAL_INPUT + ",set=" + INPUT_SET);
                QemuCommand.add(argv, "-add-fd", "fd=" + QemuDescriptors.TERMINAL_OUTPUT + ",set=" + OUTPUT_SET);
                // A file, for QEMU changes the modes of what it takes for a terminal, and dkvm-init has done so.
                QemuCommand.add(
                        argv,
                        "-chardev",
                        "file,id=console,path=/dev/fdset/" + OUTPUT_SET + ",input-path=/dev/fdset/" + INPUT_SET
                                + ",append=on");
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
            case VNC, WEB ->
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
            case VNC, WEB -> " console=tty0";
        };
    }
}
