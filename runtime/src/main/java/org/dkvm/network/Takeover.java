// SPDX-License-Identifier: Apache-2.0
package org.dkvm.network;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * How a VM takes over the namespace's devices: a tap for each, and everything that arrives on the one is redirected to the other, except
 * the answers to the namespace's own sockets, the engine's resolver's and those of containers that joined this one's network, which are told apart by a range of ports that is theirs. The device keeps its addresses:
 * only replies of ARP and neighbour discovery reach this namespace, so it never answers for the VM, unless it listens at a port itself.
 *
 * @param taps one for each device
 * @param ownPort a TCP port of these addresses at which this namespace listens, not the VM; 0 for none
 */
public record Takeover(List<Tap> taps, int ownPort) {
    /** The first of the ports that the sandbox's own sockets use (net.ipv4.ip_local_port_range). */
    public static final int FIRST_RESERVED_PORT = 59_392;
    /** The last of them: 1024 ports that one mask matches (native/sandbox/network/redirect.c). */
    public static final int LAST_RESERVED_PORT = 60_415;

    /** Before the device's name in a tap's alias. A pod's namespace, and the taps in it, outlive a VM. */
    static final String ALIAS = "dkvm:";

    /**
     * A device and the tap that stands in for its wire.
     *
     * @param device the engine's
     * @param name the tap's
     */
    public record Tap(NetworkDevice device, String name) {}

    /**
     * A tap that outlived its VM.
     *
     * @param tap its name
     * @param device that of the device it stood for
     */
    public record Left(String tap, String device) {}

    public Takeover {
        taps = List.copyOf(taps);
    }

    /** Taps for these devices, with names that none of them has. */
    public static Takeover of(List<NetworkDevice> devices, int ownPort) {
        Set<String> names = new HashSet<>();
        for (NetworkDevice device : devices) {
            names.add(device.name());
        }
        List<Tap> taps = new ArrayList<>();
        int number = 0;
        for (NetworkDevice device : devices) {
            String name = "tap" + number++;
            while (!names.add(name)) {
                name = "tap" + number++;
            }
            taps.add(new Tap(device, name));
        }
        return new Takeover(taps, ownPort);
    }

    /** What dkvm-network is asked for, in order. */
    public List<NetworkRequest> requests() {
        List<NetworkRequest> requests = new ArrayList<>();
        for (Tap tap : taps) {
            requests.add(new NetworkRequest.Take(tap, ownPort));
        }
        return requests;
    }
}
