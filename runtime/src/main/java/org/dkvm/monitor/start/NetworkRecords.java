// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.start;

import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import org.dkvm.agent.MachineRecords;
import org.dkvm.network.DeviceAddress;
import org.dkvm.network.DeviceRoute;
import org.dkvm.network.NetworkDevice;

/** Network devices, and what has become of them, as records for the agent. */
public final class NetworkRecords {
    private static final byte[] NONE = {};

    private NetworkRecords() {}

    /** A device with all it has. */
    public static void device(MachineRecords to, NetworkDevice device) {
        byte[] mac = device.mac().toBytes();
        to.nic(mac, device.mtu(), device.name());
        for (DeviceAddress address : device.addresses()) {
            to.address(mac, address.address().getAddress(), address.prefixLength(), bytes(address.broadcast()));
        }
        // A gateway must be reachable when its route is made: routes on the link first.
        for (DeviceRoute route : device.routes()) {
            if (route.gateway().isEmpty()) {
                route(to, mac, route);
            }
        }
        for (DeviceRoute route : device.routes()) {
            if (route.gateway().isPresent()) {
                route(to, mac, route);
            }
        }
    }

    /** The device itself goes, and all it had with it. */
    public static void gone(MachineRecords to, NetworkDevice device) {
        to.nicGone(device.mac().toBytes());
    }

    /**
     * From one state of a device to a later one; nothing where they are the same. What stays is told again: an address takes routes with it when it goes.
     *
     * @return whether there is a difference
     */
    public static boolean difference(MachineRecords to, NetworkDevice before, NetworkDevice after) {
        if (before.equals(after)) {
            return false;
        }
        byte[] mac = before.mac().toBytes();
        for (DeviceRoute route : before.routes()) {
            if (!after.routes().contains(route)) {
                to.routeGone(
                        mac,
                        route.destination().getAddress(),
                        route.prefixLength(),
                        bytes(route.gateway()),
                        route.metric(),
                        route.scope());
            }
        }
        for (DeviceAddress address : before.addresses()) {
            if (!after.addresses().contains(address)) {
                to.addressGone(mac, address.address().getAddress(), address.prefixLength(), bytes(address.broadcast()));
            }
        }
        device(to, after);
        return true;
    }

    /** The device with that number and address among these. */
    public static Optional<NetworkDevice> same(NetworkDevice device, List<NetworkDevice> among) {
        for (NetworkDevice other : among) {
            if (other.index() == device.index()
                    && other.mac().bits() == device.mac().bits()) {
                return Optional.of(other);
            }
        }
        return Optional.empty();
    }

    private static void route(MachineRecords to, byte[] mac, DeviceRoute route) {
        to.route(
                mac,
                route.destination().getAddress(),
                route.prefixLength(),
                bytes(route.gateway()),
                route.metric(),
                route.scope());
    }

    private static byte[] bytes(Optional<InetAddress> address) {
        return address.isPresent() ? address.get().getAddress() : NONE;
    }
}
