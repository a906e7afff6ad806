// SPDX-License-Identifier: Apache-2.0
package org.dkvm.network;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.StringTokenizer;

/** Parsers of the kernel's own tables: /proc/net/route, ipv6_route, if_inet6 (proc(5)). Lines that are too short or not numbers are refused. */
final class ProcNet {
    /** Lines read of one table: far more than a container has. */
    static final int MAX_LINES = 4096;

    private static final int RTF_UP = 0x0001;
    private static final int RTF_REJECT = 0x0200;
    private static final int RTF_ADDRCONF = 0x0004_0000;
    private static final int RTF_ANYCAST = 0x0010_0000;
    private static final int RTF_CACHE = 0x0100_0000;
    private static final int RTF_LOCAL = 0x8000_0000;
    private static final int IPV6_UNWANTED = RTF_REJECT | RTF_ADDRCONF | RTF_ANYCAST | RTF_CACHE | RTF_LOCAL;
    private static final int IPV4_DIGITS = 8;
    private static final int IPV6_DIGITS = 32;

    /** A route and the name of its device. */
    record Route(String device, DeviceRoute route) {}

    /** An IPv6 address and the name of its device. */
    record Address(String device, DeviceAddress address) {}

    private ProcNet() {}

    /** The IPv4 routes of the main table. */
    static List<Route> ipv4Routes(String table) {
        List<Route> routes = new ArrayList<>();
        List<String> lines = lines(table);
        for (int i = 1; i < lines.size(); i++) {
            List<String> columns = columns(lines.get(i), 8);
            int flags = Integer.parseUnsignedInt(columns.get(3), 16);
            if ((flags & RTF_UP) != 0 && (flags & RTF_REJECT) == 0) {
                InetAddress gateway = ipv4(columns.get(2));
                routes.add(new Route(
                        columns.get(0),
                        new DeviceRoute(
                                ipv4(columns.get(1)),
                                Integer.bitCount(Integer.parseUnsignedInt(columns.get(7), 16)),
                                present(gateway),
                                Long.parseLong(columns.get(6)))));
            }
        }
        return routes;
    }

    /** The IPv6 routes that somebody made: no local, multicast or link-local ones, none learnt from a router. */
    static List<Route> ipv6Routes(String table) {
        List<Route> routes = new ArrayList<>();
        for (String line : lines(table)) {
            List<String> columns = columns(line, 10);
            InetAddress destination = ipv6(columns.get(0));
            int flags = Integer.parseUnsignedInt(columns.get(8), 16);
            boolean wanted = (flags & RTF_UP) != 0 && (flags & IPV6_UNWANTED) == 0;
            if (wanted && !destination.isMulticastAddress() && !destination.isLinkLocalAddress()) {
                routes.add(new Route(
                        columns.get(9),
                        new DeviceRoute(
                                destination,
                                Integer.parseInt(columns.get(1), 16),
                                present(ipv6(columns.get(4))),
                                Long.parseLong(columns.get(5), 16))));
            }
        }
        return routes;
    }

    /** The IPv6 addresses. */
    static List<Address> ipv6Addresses(String table) {
        List<Address> addresses = new ArrayList<>();
        for (String line : lines(table)) {
            List<String> columns = columns(line, 6);
            int prefixLength = Integer.parseInt(columns.get(2), 16);
            addresses.add(new Address(
                    columns.get(5), new DeviceAddress(ipv6(columns.get(0)), prefixLength, Optional.empty())));
        }
        return addresses;
    }

    private static Optional<InetAddress> present(InetAddress address) {
        return address.isAnyLocalAddress() ? Optional.empty() : Optional.of(address);
    }

    private static List<String> lines(String table) {
        List<String> lines = new ArrayList<>();
        int from = 0;
        while (from < table.length()) {
            int end = table.indexOf('\n', from);
            end = end < 0 ? table.length() : end;
            if (end > from) {
                lines.add(table.substring(from, end));
            }
            if (lines.size() > MAX_LINES) {
                throw new IllegalArgumentException("a network table with more than " + MAX_LINES + " lines");
            }
            from = end + 1;
        }
        return lines;
    }

    private static List<String> columns(String line, int wanted) {
        List<String> columns = new ArrayList<>();
        StringTokenizer tokens = new StringTokenizer(line);
        while (tokens.hasMoreTokens()) {
            columns.add(tokens.nextToken());
        }
        if (columns.size() < wanted) {
            throw new IllegalArgumentException("network table line \"" + line + "\" has too few columns");
        }
        return columns;
    }

    /** The kernel prints the address as one number of this machine, which is little-endian. */
    private static InetAddress ipv4(String hex) {
        int bits = Integer.reverseBytes(Integer.parseUnsignedInt(checked(hex, IPV4_DIGITS), 16));
        return address(new byte[] {(byte) (bits >> 24), (byte) (bits >> 16), (byte) (bits >> 8), (byte) bits});
    }

    private static InetAddress ipv6(String hex) {
        checked(hex, IPV6_DIGITS);
        byte[] bytes = new byte[IPV6_DIGITS / 2];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) Integer.parseInt(hex, i * 2, i * 2 + 2, 16);
        }
        return address(bytes);
    }

    private static String checked(String hex, int digits) {
        if (hex.length() != digits) {
            throw new IllegalArgumentException("network address \"" + hex + "\" has not " + digits + " digits");
        }
        return hex;
    }

    /** The address; an IPv4 one written as an IPv6 one stays what it is. */
    private static InetAddress address(byte[] bytes) {
        try {
            return bytes.length == IPV6_DIGITS / 2
                    ? Inet6Address.getByAddress(null, bytes, -1)
                    : InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("network address of " + bytes.length + " bytes", e);
        }
    }
}
