// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.options;

import com.google.gson.JsonObject;
import java.util.Map;
import org.dkvm.core.DkvmException;
import org.dkvm.core.SandboxPaths;
import org.dkvm.core.machine.Display;
import org.dkvm.core.machine.DisplayMode;
import org.dkvm.core.machine.Vga;
import org.dkvm.core.machine.VncPassword;
import org.dkvm.json.Json;
import org.dkvm.linux.RootedTree;

/** The options about what a VM shows, and where; see docs/displays.md. */
public final class DisplayOptions {
    private static final String MODE = "DKVM_DISPLAY_MODE";
    private static final String QEMU_DISPLAY = "DKVM_QEMU_DISPLAY";
    private static final String VGA = "DKVM_QEMU_VGA";
    private static final String NUMBER = "DKVM_QEMU_VNC_DISPLAY";
    private static final String PASSWORD = "DKVM_QEMU_VNC_PASSWORD";
    private static final String PASSWORD_FILE = "DKVM_QEMU_VNC_PASSWORD_FILE";

    private DisplayOptions() {}

    /** The display that options ask for, given by their names; an empty value means that one is not given. */
    static Display parse(Map<String, String> given) throws DkvmException {
        DisplayMode mode = mode(value(given, MODE), value(given, QEMU_DISPLAY));
        Vga vga = vga(value(given, VGA), mode);
        int number = number(value(given, NUMBER));
        VncPassword password = password(value(given, PASSWORD), value(given, PASSWORD_FILE));
        if (mode.speaksVnc() && !password.isGiven()) {
            throw new DkvmException(
                    "option \"" + MODE + "\" is " + value(given, MODE) + ", and there is no password",
                    "give " + PASSWORD + " or " + PASSWORD_FILE + ", with at most " + VncPassword.MAX_LENGTH
                            + " characters");
        }
        return new Display(mode, vga, number, password);
    }

    /** What can only be said of a container as a whole: that there is a terminal, and the file. */
    public static void check(Display display, JsonObject process, RootedTree tree) throws DkvmException {
        if (display.mode().takesTerminal() && !Json.isTrue(process, "terminal")) {
            throw new DkvmException(
                    "option \"" + optionOf(display.mode()) + "\" needs a terminal, and the container has none",
                    "run it with -it");
        }
        String file = display.password().file();
        // Files for the sandbox alone are not in the tree: the monitor looks.
        if (display.mode().speaksVnc() && !file.isEmpty() && !RootedTree.isAtOrBelow(file, SandboxPaths.DISKS)) {
            checkFile(file, tree.find(file).kind());
        }
    }

    private static void checkFile(String file, RootedTree.Kind kind) throws DkvmException {
        String problem = switch (kind) {
            case FILE -> "";
            case HIDDEN -> "lies in a filesystem whose content only the VM has";
            case DIRECTORY, OTHER, NOT_A_DIRECTORY, TOO_MANY_LINKS -> "is no file";
            case MISSING, MISSING_IN_EMPTY -> "is not there";
        };
        if (!problem.isEmpty()) {
            throw new DkvmException(
                    "option \"" + PASSWORD_FILE + "\": \"" + file + "\" " + problem,
                    "give a file of the container or of a volume");
        }
    }

    private static String value(Map<String, String> given, String name) {
        return given.getOrDefault(name, "");
    }

    private static String optionOf(DisplayMode mode) {
        return mode == DisplayMode.CURSES ? QEMU_DISPLAY : MODE;
    }

    private static DisplayMode mode(String mode, String qemu) throws DkvmException {
        DisplayMode chosen = switch (mode) {
            case "", "headless" -> DisplayMode.HEADLESS;
            case "serial" -> DisplayMode.SERIAL;
            case "vnc" -> DisplayMode.VNC;
            case "web" -> DisplayMode.WEB;
            default -> throw bad(MODE, mode, "headless, serial, vnc or web");
        };
        if (qemu.isEmpty()) {
            return chosen;
        }
        if (!"curses".equals(qemu)) {
            throw bad(QEMU_DISPLAY, qemu, "curses, or " + MODE);
        }
        if (chosen != DisplayMode.HEADLESS) {
            throw new DkvmException(
                    "options \"" + QEMU_DISPLAY + "\" and \"" + MODE + "\" both say where the screen is",
                    "give one of them");
        }
        return DisplayMode.CURSES;
    }

    private static Vga vga(String value, DisplayMode mode) throws DkvmException {
        Vga vga = switch (value) {
            case "" ->
                switch (mode) {
                    case HEADLESS, SERIAL -> Vga.NONE;
                    case CURSES -> Vga.STD;
                    case VNC, WEB -> Vga.VIRTIO;
                };
            case "none" -> Vga.NONE;
            case "std" -> Vga.STD;
            case "virtio" -> Vga.VIRTIO;
            default -> throw bad(VGA, value, "none, std or virtio");
        };
        if (vga == Vga.NONE && mode.showsScreen()) {
            throw new DkvmException(
                    "option \"" + VGA + "\" is none, and \"" + optionOf(mode) + "\" shows a graphics card",
                    "give std or virtio");
        }
        return vga;
    }

    private static int number(String value) throws DkvmException {
        if (value.isEmpty()) {
            return 0;
        }
        int number = 0;
        for (int i = 0; i < value.length(); i++) {
            char digit = value.charAt(i);
            number = number * 10 + (digit - '0');
            if (digit < '0' || digit > '9' || number > Display.MAX_NUMBER) {
                throw bad(NUMBER, value, "a number from 0 to " + Display.MAX_NUMBER);
            }
        }
        return number;
    }

    private static VncPassword password(String text, String file) throws DkvmException {
        if (!text.isEmpty() && !file.isEmpty()) {
            throw new DkvmException(
                    "options \"" + PASSWORD + "\" and \"" + PASSWORD_FILE + "\" both give a password",
                    "give one of them");
        }
        if (!text.isEmpty()) {
            VncPassword.checked(text, "option \"" + PASSWORD + "\"");
        }
        if (!file.isEmpty() && (!file.startsWith("/") || file.indexOf('\0') >= 0)) {
            throw bad(PASSWORD_FILE, file, "an absolute path");
        }
        return new VncPassword(text, file);
    }

    private static DkvmException bad(String name, String value, String allowed) {
        return new DkvmException("option \"" + name + "\" has the value \"" + value + "\"", "give " + allowed);
    }
}
