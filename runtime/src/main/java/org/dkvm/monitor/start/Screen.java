// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.start;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.dkvm.bundle.plan.SandboxMounts;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PlainName;
import org.dkvm.core.SandboxPaths;
import org.dkvm.core.machine.Display;
import org.dkvm.core.machine.DisplayMode;
import org.dkvm.core.machine.SandboxFile;
import org.dkvm.core.machine.Vga;
import org.dkvm.core.machine.VncPassword;
import org.dkvm.disk.DiskCommand;
import org.dkvm.monitor.link.QemuAnswer;
import org.dkvm.monitor.link.QemuControl;
import org.dkvm.monitor.program.Child;
import org.dkvm.monitor.program.Output;
import org.dkvm.monitor.program.ProgramStart;
import org.dkvm.monitor.program.Programs;

/** What a container shows beside its stdio, made ready before its VM starts. See docs/displays.md. */
public final class Screen {
    /** Leaves what a program may have switched the terminal to: colours, a hidden cursor, the second screen. See console_codes(4). */
    public static final String SANE = "\033[!p\033[?1049l";

    /** What dkvm-web says once it has its port and its pages: what ends it from then on is what it was sent. */
    public static final String SERVES = "serves the screen at";

    private static final String SERVER = SandboxPaths.PACKAGE + "/dkvm-web";
    private static final int SIGWINCH = 28;
    private static final String TERM = "TERM=";
    private static final String ANY_TERM = "xterm";
    /** As much of a line as dkvm-disk prints. */
    private static final int MAX_LINE_BYTES = 1024;

    private final Display display;
    private final SandboxMounts mounts;

    /**
     * One container's.
     *
     * @param mounts where its files are
     */
    public Screen(Display display, SandboxMounts mounts) {
        this.display = display;
        this.mounts = mounts;
    }

    /** Finds VNC's password out; empty where nothing is shown by VNC. */
    public Optional<String> password(Programs programs) throws DkvmException {
        if (!display.mode().speaksVnc()) {
            return Optional.empty();
        }
        VncPassword password = display.password();
        return Optional.of(password.file().isEmpty() ? password.text() : firstLine(password.file(), programs));
    }

    /** Tells QEMU VNC's password; before that nobody can log in. */
    public static void protect(String password, QemuControl control, Consumer<String> failed) {
        JsonObject arguments = new JsonObject();
        arguments.addProperty("protocol", "vnc");
        arguments.addProperty("password", password);
        control.execute("set_password", arguments, new QemuAnswer() {
            @Override
            public void done(JsonElement returned) {
                // Nothing is left to be done.
            }

            @Override
            public void failed(String reason) {
                failed.accept("VNC's password can not be set: " + reason);
            }
        });
    }

    /** Refuses a screen that nobody could look at. */
    public void check(VmNetwork network) throws DkvmException {
        if (display.mode().speaksVnc() && network.nics().isEmpty()) {
            throw new DkvmException(
                    "DKVM_DISPLAY_MODE is " + display.mode().name().toLowerCase(Locale.ROOT)
                            + ", and the container has no network: nobody could connect",
                    "give it one, and publish the port: -p " + display.port() + ":" + display.port());
        }
    }

    /** What serves the screen to browsers; empty where none is to have it. */
    public Optional<ProgramStart> server() {
        if (display.mode() != DisplayMode.WEB) {
            return Optional.empty();
        }
        return Optional.of(ProgramStart.of(
                ProgramStart.Kind.WEB,
                List.of(SERVER, Integer.toString(display.port()), SandboxPaths.SCREEN_SOCKET, SandboxPaths.PAGES)));
    }

    /** Whether the agent has to load modules for it, which only the larger initramfs holds. */
    public boolean needsModules() {
        return display.vga() != Vga.NONE;
    }

    /**
     * The variables that tell QEMU what kind of terminal the container has; a kind that the sandbox does not know is taken for the usual one. The description is a variable,
     * too: to read it from a file ncurses would change the user for files, and QEMU's own filter kills who tries.
     */
    public static Map<String, String> environment(List<String> env, Path terminfo) throws DkvmException {
        String name = "";
        for (String entry : env) {
            if (entry.startsWith(TERM)) {
                name = entry.substring(TERM.length());
            }
        }
        if (!PlainName.isValid(name) || !Files.exists(description(terminfo, name))) {
            name = ANY_TERM;
        }
        try {
            byte[] description = Files.readAllBytes(description(terminfo, name));
            return Map.of("TERM", name, "TERMINFO", "b64:" + Base64.getEncoder().encodeToString(description));
        } catch (IOException e) {
            throw new DkvmException("the terminal \"" + name + "\" has no description: " + e.getMessage(), "", e);
        }
    }

    private static Path description(Path terminfo, String name) {
        return terminfo.resolve(name.substring(0, 1)).resolve(name);
    }

    /** The workload's environment: its terminal is the guest's console, and not the one that the container has. */
    static List<String> onConsole(List<String> env) {
        List<String> changed = new ArrayList<>(env);
        changed.replaceAll(entry -> entry.startsWith(TERM) ? "TERM=linux" : entry);
        return changed;
    }

    /** QEMU is in another session than the terminal: the kernel tells dkvm-init only that the size has changed. */
    public static void resize(Child qemu) {
        qemu.signal(SIGWINCH);
    }

    private String firstLine(String file, Programs programs) throws DkvmException {
        String what = "the file \"" + file + "\" of DKVM_QEMU_VNC_PASSWORD_FILE";
        SandboxFile place = mounts.file(file);
        try {
            Output output = Output.of(
                    programs, ProgramStart.of(ProgramStart.Kind.DISKS, DiskCommand.line(place)), MAX_LINE_BYTES);
            if (output.exitCode() != 0) {
                throw new DkvmException(
                        what + " can not be read: " + output.said(), "give a file of the container or of a volume");
            }
            String line = output.words();
            return VncPassword.checked(line.endsWith("\r") ? line.substring(0, line.length() - 1) : line, what);
        } catch (IOException e) {
            throw new DkvmException(what + " can not be read: " + e.getMessage(), "", e);
        }
    }
}
