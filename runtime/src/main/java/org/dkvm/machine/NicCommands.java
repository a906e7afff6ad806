// SPDX-License-Identifier: Apache-2.0
package org.dkvm.machine;

import com.google.gson.JsonObject;

/**
 * The arguments of the commands by which a running QEMU gets network cards and loses them: {@code netdev_add}, {@code device_add}, {@code device_del},
 * {@code netdev_del}, {@code set_link}. See QEMU's docs/interop/qemu-qmp-ref.
 */
public final class NicCommands {
    private NicCommands() {}

    /** Of {@code netdev_add}: the sandbox's end of the card. */
    public static JsonObject netdev(String id, MachineNic nic) {
        JsonObject arguments = new JsonObject();
        arguments.addProperty("type", "tap");
        arguments.addProperty("id", id);
        arguments.addProperty("ifname", nic.tap());
        arguments.addProperty("script", "no");
        arguments.addProperty("downscript", "no");
        arguments.addProperty("vhost", nic.vhost());
        return arguments;
    }

    /** Of {@code device_add}: the card, in one of the spare ports. */
    public static JsonObject card(String id, String netdev, MachineNic nic, int port) {
        return at(QemuCommand.sparePort(port), id, netdev, nic);
    }

    /** The same for a card that a restored machine starts with. */
    public static JsonObject firstCard(int number, MachineNic nic) {
        return at(TemplateMachine.cardPort(number), "first" + number, QemuCommand.netdev(number), nic);
    }

    private static JsonObject at(String port, String id, String netdev, MachineNic nic) {
        JsonObject arguments = new JsonObject();
        arguments.addProperty("driver", "virtio-net-pci");
        arguments.addProperty("id", id);
        arguments.addProperty("netdev", netdev);
        arguments.addProperty("mac", nic.mac());
        arguments.addProperty("host_mtu", nic.mtu());
        arguments.addProperty("romfile", "");
        arguments.addProperty("bus", port);
        return arguments;
    }

    /** Of {@code set_link}: the card has no carrier any more. */
    public static JsonObject linkDown(String netdev) {
        JsonObject arguments = new JsonObject();
        arguments.addProperty("name", netdev);
        arguments.addProperty("up", false);
        return arguments;
    }

    /** Of {@code netdev_del} and {@code device_del}. */
    public static JsonObject removal(String id) {
        JsonObject arguments = new JsonObject();
        arguments.addProperty("id", id);
        return arguments;
    }
}
