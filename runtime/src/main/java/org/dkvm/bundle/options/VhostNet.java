// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.options;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.dkvm.core.DkvmException;
import org.dkvm.core.SandboxPaths;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.core.machine.NetworkMode;

/** Whether the host's kernel carries a VM's packets in QEMU's place: {@code DKVM_VHOST_NET} and the configuration's {@code vhost-net}. */
public enum VhostNet {
    /** Where it is there, with KVM. */
    AUTO,
    ON,
    OFF;

    /** The host's device. */
    public static final Path DEVICE = Path.of(SandboxPaths.VHOST_NET);

    private static final String OPTION = "DKVM_VHOST_NET";

    /** An option's value. What the host has off stays off: an image can set options, and the device is one more of the kernel's borders. */
    static VhostNet parse(String value, HostConfig config) throws DkvmException {
        return switch (value) {
            case "", "auto" -> config.vhostNet();
            case "off" -> OFF;
            case "on" -> {
                if (config.vhostNet() == OFF) {
                    throw new DkvmException(
                            "option \"" + OPTION + "\" is not allowed on this host",
                            "\"vhost-net\" is \"off\" in " + HostConfig.FILE);
                }
                yield ON;
            }
            default -> throw Options.bad(OPTION, value, "auto, on or off");
        };
    }

    /**
     * Decides for one VM.
     *
     * @param network the VM's; only in one of its own has QEMU taps, which the kernel can serve
     * @param device the host's
     */
    public boolean isUsed(Accelerator accelerator, NetworkMode network, Path device) throws DkvmException {
        return switch (this) {
            case OFF -> false;
            case AUTO ->
                accelerator == Accelerator.KVM && network == NetworkMode.OWN && Files.exists(device) && opens(device);
            case ON -> {
                if (accelerator != Accelerator.KVM) {
                    throw new DkvmException(
                            "vhost-net works with KVM only, and this VM is emulated",
                            "run it without \"" + OPTION + "=on\"");
                }
                if (network == NetworkMode.SHARED) {
                    throw new DkvmException(
                            "vhost-net works in a network of the VM's own only, and this one is shared",
                            "run it without \"" + OPTION + "=on\"");
                }
                if (!opens(device)) {
                    throw new DkvmException(
                            "\"" + device + "\" does not open",
                            "load the module, modprobe vhost_net, or run it without \"" + OPTION + "=on\"");
                }
                yield true;
            }
        };
    }

    /** That it is there is not enough: the node is often made before the module is loaded, which the first open does. */
    private static boolean opens(Path device) {
        try (FileChannel channel = FileChannel.open(device, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return channel.isOpen();
        } catch (IOException e) {
            return false;
        }
    }
}
