// SPDX-License-Identifier: Apache-2.0
package org.dkvm.network;

import java.io.IOException;
import java.io.InputStream;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InterfaceAddress;
import java.net.NetworkInterface;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.dkvm.core.DkvmException;

/** Reads the network devices of this namespace from /sys and /proc; starts no program. */
public final class NetworkReader {
    /** Why a VM can not have such a device; its name goes before. */
    public static final String NO_ARP = "has no ARP, and a VM's card needs it";

    private static final int MAX_TABLE_BYTES = 1024 * 1024;
    private static final int ARPHRD_ETHER = 1;
    private static final int IFF_UP = 1;
    private static final int IFF_NOARP = 0x80;
    private static final int IPV6_BYTES = 16;
    private static final String LOOPBACK = "lo";

    /** A class of its own: the JVM's archive holds it, and not the lambda inside Comparator. */
    private static final class ByIndex implements Comparator<NetworkDevice> {
        @Override
        public int compare(NetworkDevice left, NetworkDevice right) {
            return Integer.compare(left.index(), right.index());
        }
    }

    private final Path sys;
    private final Path proc;

    /** A reader of the namespace that these mounts of sysfs and proc show. */
    public NetworkReader(Path sys, Path proc) {
        this.sys = sys;
        this.proc = proc;
    }

    /** Refuses devices that a VM can not have, when it is to have them all. */
    public static void check(List<NetworkDevice> devices) throws DkvmException {
        checkAddresses(devices);
        for (NetworkDevice device : devices) {
            if (!device.arp()) {
                throw new DkvmException(
                        "network interface \"" + device.name() + "\" " + NO_ARP,
                        "use ipvlan networks in mode l2, or another driver");
            }
        }
    }

    /**
     * The Ethernet devices that are up, in the kernel's order. What modules put into every namespace (tunl0, sit0, gretap0, …) is not:
     * those are of another type or down.
     */
    public List<NetworkDevice> readAll() throws DkvmException {
        try {
            List<ProcNet.Route> routes = new ArrayList<>(ProcNet.ipv4Routes(table("route")));
            routes.addAll(ProcNet.ipv6Routes(table("ipv6_route")));
            List<ProcNet.Address> ipv6 = ProcNet.ipv6Addresses(table("if_inet6"));
            List<NetworkDevice> devices = new ArrayList<>();
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(sys.resolve("class/net"))) {
                for (Path entry : entries) {
                    String name = String.valueOf(entry.getFileName());
                    int flags = flags(entry);
                    if ((flags & IFF_UP) != 0) {
                        devices.add(device(entry, name, (flags & IFF_NOARP) == 0, routes, ipv6));
                    }
                }
            }
            devices.sort(new ByIndex());
            return devices;
        } catch (IOException | IllegalArgumentException e) {
            throw new DkvmException(
                    "can not read the sandbox's network: " + e.getMessage(),
                    "look at /sys/class/net and /proc/net in the sandbox",
                    e);
        }
    }

    /** The taps that a VM before this one left in the namespace, each with the device that it stood for. */
    public List<Takeover.Left> left() throws DkvmException {
        List<Takeover.Left> left = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(sys.resolve("class/net"), "tap*")) {
            for (Path entry : entries) {
                Path file = entry.resolve("ifalias");
                String alias = Files.exists(file) ? text(file) : "";
                if (alias.startsWith(Takeover.ALIAS)) {
                    left.add(new Takeover.Left(
                            String.valueOf(entry.getFileName()), alias.substring(Takeover.ALIAS.length())));
                }
            }
            return left;
        } catch (IOException | DirectoryIteratorException e) {
            throw new DkvmException(
                    "can not read the sandbox's network: " + e.getMessage(),
                    "look at /sys/class/net in the sandbox",
                    e);
        }
    }

    /** The network between a VM and QEMU that fits this namespace. */
    public SharedNetwork shared() throws DkvmException {
        try {
            boolean ipv6 = false;
            for (ProcNet.Address found : ProcNet.ipv6Addresses(table("if_inet6"))) {
                InetAddress address = found.address().address();
                ipv6 |= !address.isLinkLocalAddress() && !address.isLoopbackAddress();
            }
            return new SharedNetwork(ipv6);
        } catch (IOException | IllegalArgumentException e) {
            throw new DkvmException(
                    "can not read the sandbox's network: " + e.getMessage(), "look at /proc/net in the sandbox", e);
        }
    }

    /**
     * The interfaces that the engine, or the host, has switched IPv6 off for, as the names of net.ipv6.conf: the loopback and devices; "all" and "default" too when it
     * is every one.
     */
    public List<String> withoutIpv6(List<NetworkDevice> devices) throws DkvmException {
        try {
            List<String> off = new ArrayList<>();
            boolean every = isIpv6Off(LOOPBACK);
            if (every) {
                off.add(LOOPBACK);
            }
            for (NetworkDevice device : devices) {
                if (isIpv6Off(device.name())) {
                    off.add(device.name());
                } else {
                    every = false;
                }
            }
            return every ? List.of("all", "default") : off;
        } catch (IOException e) {
            throw new DkvmException(
                    "can not read the sandbox's network: " + e.getMessage(),
                    "look at /proc/sys/net/ipv6/conf in the sandbox",
                    e);
        }
    }

    /** Whether IPv6 is off on that device, or will be on new ones ({@code default}). */
    public boolean isWithoutIpv6(String device) throws DkvmException {
        try {
            return isIpv6Off(device);
        } catch (IOException e) {
            throw new DkvmException("can not read the settings of \"" + device + "\": " + e.getMessage(), "", e);
        }
    }

    /** No where the kernel has no IPv6: the guest has its own. */
    private boolean isIpv6Off(String device) throws IOException {
        Path file = proc.resolve("sys/net/ipv6/conf").resolve(device).resolve("disable_ipv6");
        return Files.exists(file) && "1".equals(text(file).strip());
    }

    /** IFF_* of an Ethernet device; none of anything else. */
    private static int flags(Path entry) throws IOException {
        return Files.isDirectory(entry) && number(entry, "type") == ARPHRD_ETHER ? number(entry, "flags") : 0;
    }

    /** The guest knows its cards by their addresses. */
    private static void checkAddresses(List<NetworkDevice> devices) throws DkvmException {
        for (int i = 0; i < devices.size(); i++) {
            for (int j = 0; j < i; j++) {
                if (devices.get(i).mac().equals(devices.get(j).mac())) {
                    throw new DkvmException(
                            "network interfaces \"" + devices.get(j).name() + "\" and \""
                                    + devices.get(i).name() + "\" have one MAC address, "
                                    + devices.get(i).mac(),
                            "give each network its own; of ipvlan networks with one parent a VM can have one");
                }
            }
        }
    }

    private static NetworkDevice device(
            Path entry, String name, boolean arp, List<ProcNet.Route> routes, List<ProcNet.Address> ipv6)
            throws IOException {
        MacAddress mac = MacAddress.parse(text(entry.resolve("address")));
        List<DeviceAddress> addresses = ipv4Addresses(name);
        for (ProcNet.Address found : ipv6) {
            if (found.device().equals(name) && !isAutomatic(found.address().address(), mac)) {
                addresses.add(found.address());
            }
        }
        List<DeviceRoute> own = new ArrayList<>();
        for (ProcNet.Route found : routes) {
            if (found.device().equals(name) && !comesWithAddress(found.route(), addresses)) {
                own.add(found.route());
            }
        }
        return new NetworkDevice(name, number(entry, "ifindex"), mac, number(entry, "mtu"), arp, addresses, own);
    }

    /** A table; empty where the kernel has none (no IPv6). */
    private String table(String name) throws IOException {
        Path file = proc.resolve("net").resolve(name);
        return Files.exists(file) ? text(file) : "";
    }

    /** The kernel adds the route to an address's own network with the address. */
    private static boolean comesWithAddress(DeviceRoute route, List<DeviceAddress> addresses) {
        for (DeviceAddress address : addresses) {
            if (route.gateway().isEmpty()
                    && route.prefixLength() == address.prefixLength()
                    && Prefixes.contains(route.destination(), route.prefixLength(), address.address())) {
                return true;
            }
        }
        return false;
    }

    /** Every kernel makes this address of the MAC address. */
    private static boolean isAutomatic(InetAddress address, MacAddress mac) {
        byte[] bytes = address.getAddress();
        return address.isLinkLocalAddress()
                && bytes.length == IPV6_BYTES
                && Arrays.equals(Arrays.copyOfRange(bytes, IPV6_BYTES / 2, IPV6_BYTES), mac.eui64());
    }

    private static List<DeviceAddress> ipv4Addresses(String name) throws IOException {
        List<DeviceAddress> addresses = new ArrayList<>();
        NetworkInterface device = NetworkInterface.getByName(name);
        if (device == null) {
            return addresses;
        }
        for (InterfaceAddress found : device.getInterfaceAddresses()) {
            if (found.getAddress() instanceof Inet4Address address) {
                InetAddress broadcast = found.getBroadcast();
                Optional<InetAddress> usable =
                        broadcast == null || broadcast.isAnyLocalAddress() ? Optional.empty() : Optional.of(broadcast);
                addresses.add(new DeviceAddress(address, found.getNetworkPrefixLength(), usable));
            }
        }
        return addresses;
    }

    /** A decimal number, or a hexadecimal one after 0x. */
    private static int number(Path entry, String attribute) throws IOException {
        return Integer.decode(text(entry.resolve(attribute)));
    }

    private static String text(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MAX_TABLE_BYTES + 1);
            if (bytes.length > MAX_TABLE_BYTES) {
                throw new IOException("\"" + file + "\" has more than " + MAX_TABLE_BYTES + " bytes");
            }
            return new String(bytes, StandardCharsets.US_ASCII).strip();
        }
    }
}
