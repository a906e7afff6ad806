// SPDX-License-Identifier: Apache-2.0
package org.dkvm.network;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * How a VM takes over the namespace's devices: a tap for each, and everything that arrives on the one is redirected to the other, except
 * the answers to the namespace's own sockets, the engine's resolver's and those of containers that joined this one's network, which are told apart by a range of ports that is theirs. The device keeps its addresses:
 * only replies of ARP and neighbour discovery reach this namespace, so it never answers for the VM, unless it listens at a port itself. See tc-u32(8), tc-mirred(8).
 *
 * @param taps one for each device
 * @param ownPort a TCP port of these addresses at which this namespace listens, not the VM; 0 for none
 */
public record Takeover(List<Tap> taps, int ownPort) {
    /** The first of the ports that the sandbox's own sockets use (net.ipv4.ip_local_port_range). */
    public static final int FIRST_RESERVED_PORT = 59_392;
    /** The last of them: 1024 ports that one mask of tc-u32 matches. */
    public static final int LAST_RESERVED_PORT = 60_415;

    private static final String RESERVED_PORTS = "0xe800 0xfc00";
    /** Without options, and not the rest of a fragmented packet: ports are where they are looked for. */
    private static final String IPV4_PLAIN = " 0xff match u8 0x45 0xff at 0 match u16 0 0x1fff at 6";
    /** Before the device's name in a tap's alias. A pod's namespace, and the taps in it, outlive a VM. */
    static final String ALIAS = "dkvm:";
    /** A class and no action: the packet goes on to this namespace. */
    private static final String PASS = " flowid 1:1\n";

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

    /**
     * The input of {@code ip -batch -}: makes the taps. They get no address, not even a link-local one. A device that sorts out what comes (macvlan) knows only the
     * groups that this namespace is in, and the VM is in others.
     */
    public String ipBatch() {
        StringBuilder text = new StringBuilder();
        for (Tap tap : taps) {
            text.append("link set dev ").append(tap.device().name()).append(" allmulticast on\n");
            text.append("tuntap add dev ").append(tap.name()).append(" mode tap\n");
            text.append("link set dev ").append(tap.name()).append(" addrgenmode none\n");
            text.append("link set dev ").append(tap.name()).append(" alias ").append(ALIAS);
            text.append(tap.device().name()).append('\n');
            text.append("link set dev ").append(tap.name());
            text.append(" mtu ").append(tap.device().mtu()).append(" up\n");
        }
        return text.toString();
    }

    /** The input of {@code tc -batch -}: joins each tap with its device. */
    public String tcBatch() {
        StringBuilder text = new StringBuilder();
        for (Tap tap : taps) {
            String device = tap.device().name();
            String mirror = " action mirred egress mirror dev " + tap.name() + "\n";
            text.append("qdisc add dev ").append(device).append(" ingress\n");
            text.append("qdisc add dev ").append(tap.name()).append(" ingress\n");
            // Who listens has to be found also while the VM does not answer; both say the same.
            filter(text, device, "1 protocol arp u32 match " + (listens() ? "u8 0 0" : "u16 2 0xffff at 6") + mirror);
            // A name server's answer by UDP goes both ways: a resolver in the guest may use such a port, too.
            filter(text, device, ipv4Answer(17, " match ip sport 53 0xffff") + mirror);
            filter(text, device, ipv4Answer(17, "") + PASS);
            filter(text, device, ipv4Answer(6, "") + PASS);
            filter(text, device, "3 protocol ipv6 u32 match u8 58 0xff at 6 match u8 136 0xff at 40" + mirror);
            filter(text, device, ipv6Answer(17) + PASS);
            filter(text, device, ipv6Answer(6) + PASS);
            if (listens()) {
                filter(
                        text,
                        device,
                        "2 protocol ip u32 match ip protocol 6" + IPV4_PLAIN + " match ip dport " + ownPort + " 0xffff"
                                + PASS);
                filter(text, device, "3 protocol ipv6 u32 match u8 58 0xff at 6 match u8 135 0xff at 40" + mirror);
                filter(
                        text,
                        device,
                        "3 protocol ipv6 u32 match u8 6 0xff at 6 match u16 " + ownPort + " 0xffff at 42" + PASS);
            }
            redirect(text, device, tap.name());
            redirect(text, tap.name(), device);
        }
        return text.toString();
    }

    /** The input of {@code ip -batch -} that removes a tap, and with it the way to and from its device. */
    public static String removal(String tap) {
        return "link del dev " + tap + "\n";
    }

    /** The input of {@code tc -batch -} that gives a device back, whose tap is gone. */
    public static String release(String device) {
        return "qdisc del dev " + device + " ingress\n";
    }

    private boolean listens() {
        return ownPort > 0;
    }

    private static String ipv4Answer(int protocol, String from) {
        return "2 protocol ip u32 match ip protocol " + protocol + IPV4_PLAIN + from + " match ip dport "
                + RESERVED_PORTS;
    }

    private static String ipv6Answer(int protocol) {
        return "3 protocol ipv6 u32 match u8 " + protocol + " 0xff at 6 match u16 " + RESERVED_PORTS + " at 42";
    }

    private static void filter(StringBuilder text, String device, String rest) {
        text.append("filter add dev ").append(device).append(" ingress pref ").append(rest);
    }

    private static void redirect(StringBuilder text, String from, String to) {
        filter(text, from, "10 protocol all u32 match u8 0 0 action mirred egress redirect dev " + to + "\n");
    }
}
