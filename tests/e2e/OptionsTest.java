// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** DKVM_* options with values that make no sense: told at create, and nothing is started or left. */
@EndToEnd
class OptionsTest {
    private static final int NOT_STARTED = 125;

    /**
     * A wrong option.
     *
     * @param entry the environment's entry
     * @param said the message and the advice
     */
    record Wrong(String entry, String said) {
        String name() {
            return entry.substring(0, entry.indexOf('='));
        }
    }

    /** Each option at least once. */
    static Stream<Wrong> wrong() {
        return Stream.of(
                new Wrong("DKVM_ACCEL=warp", "has the value \"warp\"; give auto, kvm or tcg"),
                new Wrong("DKVM_ARCH=mips", "has the value \"mips\"; give amd64 or arm64"),
                new Wrong("DKVM_BIOS=efi", "has the value \"efi\"; give EFI or SeaBIOS"),
                new Wrong("DKVM_BIOS_DEBUG=-1", "has the value \"-1\"; give 0 or 1"),
                new Wrong(
                        "DKVM_BREAK=prenet,boot",
                        "has the point \"boot\" in \"prenet,boot\"; give one or more of prenet, postnet, preqemu, separated by"
                                + " commas"),
                new Wrong("DKVM_BREAK=prenet,", "has the point \"\" in \"prenet,\"; give one or more of prenet, "),
                new Wrong(
                        "DKVM_BREAK=prenet,prenet", "has \"prenet\" twice in \"prenet,prenet\"; give each point once"),
                new Wrong("DKVM_CGROUPFS=3", "has the value \"3\"; give none, 1, 2 or hybrid"),
                new Wrong("DKVM_DISKS=/disk", "has the disk \"/disk\""),
                new Wrong("DKVM_NESTED=1", "is not allowed on this host; it needs \"allow\": [\"nested\"] in"),
                new Wrong("DKVM_KERNEL=no-such-kernel", "kernel \"no-such-kernel\" not found in "),
                new Wrong("DKVM_KERNEL=dkvm/0.0.0", "kernel \"dkvm/0.0.0\" not found in "),
                new Wrong("DKVM_KERNEL=../../etc", "is not a name of the form <dist>[/<version>]; \"dkvm kernel ls\""),
                new Wrong(
                        "DKVM_KERNEL=/etc/passwd", "is not a name of the form <dist>[/<version>]; \"dkvm kernel ls\""),
                new Wrong(
                        "DKVM_KERNEL_APPEND=quiet\nroot=x", "has a character that is not printable ASCII; give kernel"),
                new Wrong("DKVM_KERNEL_APPEND=" + "x".repeat(5000), "has 5000 characters, more than 1024"),
                new Wrong("DKVM_KERNEL_DEBUG=perhaps", "has the value \"perhaps\"; give 0 or 1"),
                new Wrong("DKVM_KERNEL_MOUNT_LIB_MODULES=2", "has the value \"2\"; give 0 or 1"),
                new Wrong("DKVM_MACHINE=pc", "has the value \"pc\"; give q35 or microvm"),
                new Wrong("DKVM_DISPLAY_MODE=screen", "has the value \"screen\"; give headless, serial, vnc or web"),
                new Wrong("DKVM_DISPLAY_MODE=vnc", "is vnc, and there is no password; give DKVM_QEMU_VNC_PASSWORD or "),
                new Wrong("DKVM_DISPLAY_MODE=web", "is web, and there is no password; give DKVM_QEMU_VNC_PASSWORD or "),
                new Wrong("DKVM_DISPLAY_MODE=serial", "needs a terminal, and the container has none; run it with -it"),
                new Wrong("DKVM_NETWORK=own", "has the value \"own\"; give auto or shared"),
                new Wrong("DKVM_QEMU_DISPLAY=gtk", "has the value \"gtk\"; give curses, or DKVM_DISPLAY_MODE"),
                new Wrong("DKVM_QEMU_DISPLAY=curses", "needs a terminal, and the container has none; run it with -it"),
                new Wrong("DKVM_QEMU_VGA=cirrus", "has the value \"cirrus\"; give none, std or virtio"),
                new Wrong("DKVM_QEMU_VNC_DISPLAY=100", "has the value \"100\"; give a number from 0 to 99"),
                new Wrong(
                        "DKVM_QEMU_VNC_PASSWORD=ninechars",
                        "has a password of 9 characters; VNC counts 8 characters and no more"),
                new Wrong("DKVM_QEMU_VNC_PASSWORD_FILE=vnc", "has the value \"vnc\"; give an absolute path"),
                new Wrong("DKVM_SYS_ADMIN=1", "is not allowed on this host; it needs "),
                new Wrong("DKVM_SYS_ADMIN=yes", "has the value \"yes\"; give 0 or 1"),
                new Wrong("DKVM_TEMPLATE=1", "has the value \"1\"; give auto or off"),
                new Wrong("DKVM_VHOST_NET=1", "has the value \"1\"; give auto, on or off"));
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void aBadValueIsRefusedWithAWordOnAGoodOne(Wrong wrong) throws Exception {
        onVm(docker -> {
            Outcome outcome = refused(docker, "-e", wrong.entry);
            assertThat(outcome.errors()).contains(wrong.said);
            if (!wrong.said.startsWith("kernel")) {
                assertThat(outcome.errors()).containsAnyOf("option \"" + wrong.name() + "\" ", "kernel \"");
            }
        });
    }

    @Test
    void theListAboveHasEveryOption() throws Exception {
        onVm(docker -> {
            Outcome outcome = refused(docker, "-e", "DKVM_NO_SUCH_OPTION=1");
            assertThat(outcome.errors())
                    .contains("option \"DKVM_NO_SUCH_OPTION\" is not known; known are DKVM_ACCEL, ");
            Set<String> known = new TreeSet<>();
            Matcher names = Pattern.compile("DKVM_[A-Z_]+").matcher(outcome.errors());
            while (names.find()) {
                known.add(names.group());
            }
            known.remove("DKVM_NO_SUCH_OPTION");
            assertThat(wrong().map(Wrong::name)).containsAll(known);
        });
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void optionsThatDoNotGoTogetherAreRefused(List<String> entries, String said) throws Exception {
        onVm(docker -> {
            List<String> options = new ArrayList<>();
            for (String entry : entries) {
                options.addAll(entry.startsWith("-") ? List.of(entry.split(" ", -1)) : List.of("-e", entry));
            }
            assertThat(refused(docker, options.toArray(String[]::new)).errors()).contains(said);
        });
    }

    static Stream<Arguments> pairs() {
        return Stream.of(
                pair(
                        "the board \"microvm\" has no EFI; give DKVM_BIOS=EFI with DKVM_MACHINE=q35",
                        "DKVM_MACHINE=microvm",
                        "DKVM_BIOS=EFI"),
                pair(
                        "can not boot on the board \"microvm\": it has no CONFIG_VIRTIO_MMIO built in; DKVM_KERNEL=dkvm can",
                        "DKVM_MACHINE=microvm",
                        "DKVM_KERNEL=debian"),
                pair(
                        "can not boot by EFI: it is no EFI program; DKVM_KERNEL=debian can",
                        "DKVM_BIOS=EFI",
                        "DKVM_KERNEL=dkvm"),
                pair(
                        "can not boot with a text screen for DKVM_QEMU_DISPLAY: it has no CONFIG_VGA_CONSOLE built in; DKVM_KERNEL=debian can",
                        "DKVM_QEMU_DISPLAY=curses",
                        "DKVM_KERNEL=dkvm",
                        "-t"),
                pair(
                        "EFI leaves the graphics card no text screen, which DKVM_QEMU_DISPLAY=curses shows",
                        "DKVM_QEMU_DISPLAY=curses",
                        "DKVM_BIOS=EFI",
                        "-t"),
                pair(
                        "the board \"microvm\" has no place for a graphics card; give DKVM_MACHINE=q35",
                        "DKVM_QEMU_VGA=virtio",
                        "DKVM_MACHINE=microvm"),
                pair(
                        "\"/none\" is not there; give a file of the container or of a volume",
                        "DKVM_DISPLAY_MODE=vnc",
                        "DKVM_QEMU_VNC_PASSWORD_FILE=/none"),
                pair("memory of 255 MiB is too little for EFI", "DKVM_BIOS=EFI", "--memory 255m"));
    }

    private static Arguments pair(String said, String... entries) {
        return Arguments.of(List.of(entries), said);
    }

    /** An image's options are as good as the command line's, and the command line's win. */
    @Test
    void anImagesBadOptionIsRefusedUnlessTheCommandLineHasABetterOne() throws Exception {
        onVm(docker -> {
            String image = docker.image("FROM " + BUSYBOX + "\nENV DKVM_CGROUPFS=9\n");
            Container container = docker.create(image, "true");
            Outcome outcome = docker.attempt("start", "-a", container.name());
            assertThat(outcome.errors())
                    .contains("option \"DKVM_CGROUPFS\" has the value \"9\"; give none, 1, 2 or hybrid");
            docker.quietly("rm", container.name());
            Sandbox.assertNothingLeft(container.id());
            assertThat(docker.run(
                                    "-e",
                                    "DKVM_CGROUPFS=none",
                                    image,
                                    "sh",
                                    "-c",
                                    "ls /sys/fs/cgroup; env | grep -c DKVM_ || :")
                            .text())
                    .isEqualTo("0");
        });
    }

    /** {@code docker run} with these options: ends as one that can not be created, and leaves nothing. */
    private static Outcome refused(Docker docker, String... options) throws Exception {
        String name = docker.name();
        List<String> arguments = new ArrayList<>(List.of(options));
        arguments.addAll(List.of(BUSYBOX, "true"));
        // Without --rm, so that the container is there to be asked what it is.
        List<String> command = docker.runCommand(name, arguments.toArray(String[]::new));
        command.remove("--rm");
        Outcome outcome = docker.attempt(command.subList(1, command.size()).toArray(String[]::new));
        assertThat(outcome.exitCode()).as(outcome.toString()).isEqualTo(NOT_STARTED);
        assertThat(outcome.text()).isEmpty();
        String id = docker.quietly("inspect", "-f", "{{.Id}}", name);
        assertThat(docker.quietly("inspect", "-f", "{{.State.StartedAt}}", name))
                .startsWith("0001-01-01");
        docker.quietly("rm", name);
        Sandbox.assertNothingLeft(id);
        return outcome;
    }
}
