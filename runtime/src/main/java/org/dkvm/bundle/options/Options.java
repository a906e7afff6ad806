// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.options;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.dkvm.core.Architecture;
import org.dkvm.core.DkvmException;
import org.dkvm.core.container.CgroupMode;
import org.dkvm.core.machine.Board;
import org.dkvm.core.machine.BreakPoint;
import org.dkvm.core.machine.Disk;
import org.dkvm.core.machine.Display;
import org.dkvm.core.machine.Firmware;
import org.dkvm.core.machine.Hardware;

/**
 * What a container's {@code DKVM_*} environment variables say; docs/options.md describes each. An image can set them, too: none may weaken the sandbox unless the host's
 * configuration allows it.
 *
 * @param kernel which kernel, and how it is booted
 * @param machine what the VM is
 * @param network how it comes by its network
 * @param cgroups the guest's cgroup hierarchies
 * @param breaks where the launch waits for a person
 * @param sysAdmin whether virtiofsd has CAP_SYS_ADMIN
 */
public record Options(
        KernelOptions kernel,
        MachineOptions machine,
        NetworkOptions network,
        CgroupMode cgroups,
        List<BreakPoint> breaks,
        boolean sysAdmin) {
    /** Every option starts so, and every variable that starts so is an option. */
    public static final String PREFIX = "DKVM_";

    private static final String DISKS = "DKVM_DISKS";

    /** More would not fit beside DKVM's own parameters: the kernel takes 2048 bytes in all. */
    private static final int MAX_APPEND = 1024;

    private static final String KNOWN =
            "DKVM_ACCEL, DKVM_ARCH, DKVM_BIOS, DKVM_BIOS_DEBUG, DKVM_BREAK, DKVM_CGROUPFS, DKVM_DISKS, DKVM_DISPLAY_MODE, DKVM_KERNEL,"
                    + " DKVM_KERNEL_APPEND, DKVM_KERNEL_DEBUG, DKVM_KERNEL_MOUNT_LIB_MODULES, DKVM_MACHINE, DKVM_NESTED, DKVM_NETWORK,"
                    + " DKVM_QEMU_DISPLAY, DKVM_QEMU_VGA, DKVM_QEMU_VNC_DISPLAY, DKVM_QEMU_VNC_PASSWORD, DKVM_QEMU_VNC_PASSWORD_FILE, DKVM_SYS_ADMIN, DKVM_TEMPLATE, DKVM_VHOST_NET";

    public Options {
        breaks = List.copyOf(breaks);
    }

    /** Whether an entry of an environment is an option. */
    public static boolean isOption(String entry) {
        return entry.startsWith(PREFIX);
    }

    /** The environment without the options. */
    public static List<String> without(List<String> env) {
        List<String> kept = new ArrayList<>(env.size());
        for (String entry : env) {
            if (!isOption(entry)) {
                kept.add(entry);
            }
        }
        return kept;
    }

    /** The disks in an environment; the last value counts. */
    public static List<Disk> disks(List<String> env) throws DkvmException {
        String value = "";
        for (String entry : env) {
            if (entry.startsWith(DISKS + "=")) {
                value = entry.substring(DISKS.length() + 1);
            }
        }
        return value.isEmpty() ? List.of() : DisksOption.parse(value);
    }

    /** The options in an environment; the last value of a name counts, an empty one means that it is not given. */
    public static Options parse(List<String> env, HostConfig config) throws DkvmException {
        String kernel = "";
        String append = "";
        boolean kernelDebug = false;
        Optional<Architecture> architecture = Optional.empty();
        Acceleration acceleration = config.vms().acceleration();
        CgroupMode cgroups = CgroupMode.V2;
        boolean biosDebug = false;
        boolean sysAdmin = false;
        boolean mountLibModules = false;
        List<Disk> disks = List.of();
        Board board = Board.Q35;
        Firmware firmware = Firmware.SEABIOS;
        List<BreakPoint> breaks = List.of();
        Map<String, String> display = new HashMap<>();
        boolean sharedNetwork = false;
        VhostNet vhostNet = config.vhostNet();
        boolean nested = false;
        TemplateUse template = config.vms().template();
        for (String entry : env) {
            if (!isOption(entry)) {
                continue;
            }
            int equals = entry.indexOf('=');
            String name = equals < 0 ? entry : entry.substring(0, equals);
            String value = equals < 0 ? "" : entry.substring(equals + 1);
            switch (name) {
                case "DKVM_KERNEL" -> kernel = value;
                case "DKVM_KERNEL_APPEND" -> append = kernelParameters(value);
                case "DKVM_KERNEL_DEBUG" -> kernelDebug = flag(name, value);
                case "DKVM_ARCH" -> architecture = architecture(value);
                case "DKVM_ACCEL" -> acceleration = acceleration(value, config);
                case "DKVM_CGROUPFS" -> cgroups = cgroups(value);
                case "DKVM_BIOS_DEBUG" -> biosDebug = flag(name, value);
                case "DKVM_KERNEL_MOUNT_LIB_MODULES" -> mountLibModules = flag(name, value);
                case "DKVM_SYS_ADMIN" -> sysAdmin = sysAdmin(value, config);
                case "DKVM_NESTED" -> nested = nested(value, config);
                case "DKVM_TEMPLATE" -> template = TemplateUse.parse(value, config);
                case "DKVM_VHOST_NET" -> vhostNet = VhostNet.parse(value, config);
                case DISKS -> disks = value.isEmpty() ? List.of() : DisksOption.parse(value);
                case "DKVM_MACHINE" -> board = HardwareOptions.board(value);
                case "DKVM_BIOS" -> firmware = HardwareOptions.firmware(value);
                case "DKVM_NETWORK" -> sharedNetwork = sharedNetwork(value);
                case "DKVM_BREAK" -> breaks = BreakOption.parse(value, config);
                case "DKVM_DISPLAY_MODE",
                        "DKVM_QEMU_DISPLAY",
                        "DKVM_QEMU_VGA",
                        "DKVM_QEMU_VNC_DISPLAY",
                        "DKVM_QEMU_VNC_PASSWORD",
                        "DKVM_QEMU_VNC_PASSWORD_FILE" -> display.put(name, value);
                default -> throw new DkvmException("option \"" + name + "\" is not known", "known are " + KNOWN);
            }
        }
        return new Options(
                new KernelOptions(kernel, kernelDebug, append, mountLibModules, template),
                new MachineOptions(
                        architecture,
                        acceleration,
                        Hardware.of(board, firmware),
                        biosDebug,
                        display.isEmpty() ? Display.NONE : DisplayOptions.parse(display),
                        disks,
                        nested),
                new NetworkOptions(sharedNetwork, vhostNet),
                cgroups,
                breaks,
                sysAdmin);
    }

    private static String kernelParameters(String value) throws DkvmException {
        if (value.length() > MAX_APPEND) {
            throw new DkvmException(
                    "option \"DKVM_KERNEL_APPEND\" has " + value.length() + " characters, more than " + MAX_APPEND, "");
        }
        for (int i = 0; i < value.length(); i++) {
            if (value.charAt(i) < ' ' || value.charAt(i) > '~') {
                throw new DkvmException(
                        "option \"DKVM_KERNEL_APPEND\" has a character that is not printable ASCII",
                        "give kernel parameters separated by spaces");
            }
        }
        return value;
    }

    private static boolean flag(String name, String value) throws DkvmException {
        return switch (value) {
            case "1" -> true;
            case "0", "" -> false;
            default -> throw bad(name, value, "0 or 1");
        };
    }

    private static Optional<Architecture> architecture(String value) throws DkvmException {
        Optional<Architecture> named = Architecture.named(value);
        if (named.isEmpty() && !value.isEmpty()) {
            throw bad("DKVM_ARCH", value, "amd64 or arm64");
        }
        return named;
    }

    private static Acceleration acceleration(String value, HostConfig config) throws DkvmException {
        return switch (value) {
            case "" -> config.vms().acceleration();
            case "auto" -> Acceleration.AUTO;
            case "kvm" -> Acceleration.KVM;
            case "tcg" -> Acceleration.TCG;
            default -> throw bad("DKVM_ACCEL", value, "auto, kvm or tcg");
        };
    }

    private static CgroupMode cgroups(String value) throws DkvmException {
        return switch (value) {
            case "none" -> CgroupMode.NONE;
            case "1" -> CgroupMode.V1;
            case "2", "" -> CgroupMode.V2;
            case "hybrid" -> CgroupMode.HYBRID;
            default -> throw bad("DKVM_CGROUPFS", value, "none, 1, 2 or hybrid");
        };
    }

    private static boolean sharedNetwork(String value) throws DkvmException {
        return switch (value) {
            case "auto", "" -> false;
            case "shared" -> true;
            default -> throw bad("DKVM_NETWORK", value, "auto or shared");
        };
    }

    private static boolean sysAdmin(String value, HostConfig config) throws DkvmException {
        return allowed("DKVM_SYS_ADMIN", value, HostConfig.ALLOW_SYS_ADMIN, config);
    }

    private static boolean nested(String value, HostConfig config) throws DkvmException {
        return allowed("DKVM_NESTED", value, HostConfig.ALLOW_NESTED, config);
    }

    private static boolean allowed(String name, String value, String word, HostConfig config) throws DkvmException {
        boolean wanted = flag(name, value);
        if (wanted && !config.allow().contains(word)) {
            throw new DkvmException(
                    "option \"" + name + "\" is not allowed on this host",
                    "it needs \"allow\": [\"" + word + "\"] in /etc/dkvm/dkvm.json");
        }
        return wanted;
    }

    static DkvmException bad(String name, String value, String allowed) {
        return new DkvmException("option \"" + name + "\" has the value \"" + value + "\"", "give " + allowed);
    }
}
