// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.options;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.gson.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.dkvm.core.DkvmException;
import org.dkvm.core.machine.Display;
import org.dkvm.core.machine.DisplayMode;
import org.dkvm.core.machine.Vga;
import org.dkvm.core.machine.VncPassword;
import org.dkvm.linux.PlainReader;
import org.dkvm.linux.RootedTree;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DisplayOptionsTest {
    private static final String PASSWORD = "DKVM_QEMU_VNC_PASSWORD=pass";

    private static Display parse(String... env) throws DkvmException {
        return Options.parse(List.of(env), HostConfig.defaults()).machine().display();
    }

    private static String refusal(String... env) {
        return catchThrowableOfType(DkvmException.class, () -> parse(env)).text();
    }

    @Test
    void withoutOptionsNothingIsShown() throws DkvmException {
        assertThat(parse()).isEqualTo(Display.NONE);
        assertThat(parse("DKVM_DISPLAY_MODE=headless")).isEqualTo(Display.NONE);
        assertThat(parse("DKVM_DISPLAY_MODE=", "DKVM_QEMU_VGA=", "DKVM_QEMU_VNC_DISPLAY=", "DKVM_QEMU_DISPLAY="))
                .isEqualTo(Display.NONE);
    }

    @Test
    void eachModeHasItsCard() throws DkvmException {
        assertThat(parse("DKVM_DISPLAY_MODE=serial").vga()).isEqualTo(Vga.NONE);
        assertThat(parse("DKVM_DISPLAY_MODE=vnc", PASSWORD).vga()).isEqualTo(Vga.VIRTIO);
        assertThat(parse("DKVM_QEMU_DISPLAY=curses").vga()).isEqualTo(Vga.STD);
        assertThat(parse("DKVM_DISPLAY_MODE=vnc", PASSWORD, "DKVM_QEMU_VGA=std").vga())
                .isEqualTo(Vga.STD);
        assertThat(parse("DKVM_QEMU_VGA=virtio"))
                .isEqualTo(new Display(DisplayMode.HEADLESS, Vga.VIRTIO, 0, VncPassword.NONE));
    }

    @Test
    void theNumberIsThePortAbove5900() throws DkvmException {
        assertThat(parse("DKVM_DISPLAY_MODE=vnc", PASSWORD).port()).isEqualTo(5900);
        assertThat(parse("DKVM_DISPLAY_MODE=vnc", PASSWORD, "DKVM_QEMU_VNC_DISPLAY=99")
                        .port())
                .isEqualTo(5999);
        assertThat(parse("DKVM_QEMU_VNC_DISPLAY=1").port()).isZero();
    }

    @Test
    void inABrowserItIsThePortAbove6080() throws DkvmException {
        Display display = parse("DKVM_DISPLAY_MODE=web", PASSWORD);
        assertThat(display.port()).isEqualTo(6080);
        assertThat(display.vga()).isEqualTo(Vga.VIRTIO);
        assertThat(parse("DKVM_DISPLAY_MODE=web", PASSWORD, "DKVM_QEMU_VNC_DISPLAY=99")
                        .port())
                .isEqualTo(6179);
        assertThat(refusal("DKVM_DISPLAY_MODE=web")).contains("is web").contains("no password");
        assertThat(refusal("DKVM_DISPLAY_MODE=web", PASSWORD, "DKVM_QEMU_VGA=none"))
                .contains("give std or virtio");
    }

    @Test
    void vncIsNeverOpenToAll() throws DkvmException {
        assertThat(refusal("DKVM_DISPLAY_MODE=vnc"))
                .contains("no password")
                .contains("DKVM_QEMU_VNC_PASSWORD or DKVM_QEMU_VNC_PASSWORD_FILE");
        assertThat(refusal("DKVM_DISPLAY_MODE=vnc", "DKVM_QEMU_VNC_PASSWORD=")).contains("no password");
        assertThat(parse("DKVM_DISPLAY_MODE=vnc", "DKVM_QEMU_VNC_PASSWORD_FILE=/run/secrets/vnc")
                        .password())
                .isEqualTo(new VncPassword("", "/run/secrets/vnc"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"ninechars", "caf\u00e9", "tab\t"})
    void aPasswordThatWouldNotCountAsItStandsIsRefusedAndNotRepeated(String password) {
        assertThat(refusal("DKVM_DISPLAY_MODE=vnc", "DKVM_QEMU_VNC_PASSWORD=" + password))
                .contains("VNC counts 8 characters")
                .doesNotContain(password);
    }

    @Test
    void aPasswordIsNotPartOfARecordsText() throws DkvmException {
        assertThat(parse("DKVM_DISPLAY_MODE=vnc", "DKVM_QEMU_VNC_PASSWORD=sesame")
                        .toString())
                .doesNotContain("sesame");
    }

    @ParameterizedTest
    @CsvSource({
        "DKVM_DISPLAY_MODE=VNC,'headless, serial, vnc or web'",
        "DKVM_QEMU_DISPLAY=gtk,'curses, or DKVM_DISPLAY_MODE'",
        "DKVM_QEMU_VGA=cirrus,'none, std or virtio'",
        "DKVM_QEMU_VNC_DISPLAY=100,a number from 0 to 99",
        "DKVM_QEMU_VNC_DISPLAY=:1,a number from 0 to 99",
        "DKVM_QEMU_VNC_DISPLAY=99999999999999,a number from 0 to 99",
        "DKVM_QEMU_VNC_PASSWORD_FILE=vnc,an absolute path"
    })
    void aBadValueIsRefusedWithTheAllowedOnes(String entry, String allowed) {
        assertThat(refusal(entry))
                .contains("\"" + entry.substring(0, entry.indexOf('=')) + "\"")
                .endsWith("give " + allowed);
    }

    @Test
    void optionsThatContradictEachOtherAreRefused() {
        assertThat(refusal("DKVM_QEMU_DISPLAY=curses", "DKVM_DISPLAY_MODE=serial"))
                .contains("give one of them");
        assertThat(refusal("DKVM_QEMU_VNC_PASSWORD_FILE=/a", PASSWORD)).contains("give one of them");
        assertThat(refusal("DKVM_DISPLAY_MODE=vnc", PASSWORD, "DKVM_QEMU_VGA=none"))
                .contains("give std or virtio");
        assertThat(refusal("DKVM_QEMU_DISPLAY=curses", "DKVM_QEMU_VGA=none")).contains("give std or virtio");
    }

    @ParameterizedTest
    @CsvSource({"DKVM_DISPLAY_MODE,serial", "DKVM_QEMU_DISPLAY,curses"})
    void whatNeedsATerminalSaysSo(String name, String value) throws DkvmException {
        Display display = parse(name + "=" + value);
        RootedTree tree = new RootedTree(Path.of("/"), new PlainReader());
        JsonObject process = new JsonObject();
        assertThatThrownBy(() -> DisplayOptions.check(display, process, tree))
                .isInstanceOfSatisfying(
                        DkvmException.class,
                        e -> assertThat(e.text())
                                .contains("\"" + name + "\" needs a terminal")
                                .endsWith("run it with -it"));
        process.addProperty("terminal", true);
        DisplayOptions.check(display, process, tree);
    }

    @Test
    void aPasswordsFileHasToBeThere(@TempDir Path root) throws Exception {
        RootedTree tree = new RootedTree(root, new PlainReader());
        tree.addHidden("/run");
        Files.writeString(root.resolve("vnc"), "pass");
        Files.createSymbolicLink(root.resolve("link"), Path.of("/vnc"));
        JsonObject process = new JsonObject();
        for (String file : List.of("/vnc", "/link", "/disks/vnc")) {
            DisplayOptions.check(parse("DKVM_DISPLAY_MODE=vnc", "DKVM_QEMU_VNC_PASSWORD_FILE=" + file), process, tree);
            DisplayOptions.check(parse("DKVM_DISPLAY_MODE=web", "DKVM_QEMU_VNC_PASSWORD_FILE=" + file), process, tree);
        }
        for (String file : List.of("/none", "/", "/run/vnc")) {
            Display display = parse("DKVM_DISPLAY_MODE=vnc", "DKVM_QEMU_VNC_PASSWORD_FILE=" + file);
            assertThatThrownBy(() -> DisplayOptions.check(display, process, tree))
                    .hasMessageContaining("\"" + file + "\"");
        }
    }
}
