// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

/** Writes what all containers of a VM share as the records of MACHINE (protocol/PROTOCOL.md, "Machine records"). MAC addresses have 6 bytes, IP addresses 4 or 16. */
public final class MachineRecords {
    /** All MACHINE payloads together, in bytes. */
    public static final int MAX_BYTES = 1024 * 1024;

    /** What {@link #entropy} takes. */
    public static final int ENTROPY_BYTES = 64;

    private static final int HOSTNAME = 100;
    private static final int DOMAINNAME = 101;
    private static final int CLOCK = 102;
    private static final int SYSCTL = 105;
    private static final int NIC = 106;
    private static final int ADDRESS = 107;
    private static final int ROUTE = 108;
    private static final int ONLINE_CPUS = 112;
    private static final int MODULES = 113;
    private static final int SHARED_NETWORK = 118;
    private static final int NIC_GONE = 114;
    private static final int ADDRESS_GONE = 115;
    private static final int ROUTE_GONE = 116;
    private static final int PROCESSORS = 123;
    private static final int ENTROPY = 129;

    private static final int IPV4_BYTES = 4;
    private static final byte[] NONE = {};

    private final RecordWriter to = new RecordWriter();

    /** The host name; nothing when empty. */
    public void hostname(String name) {
        if (!name.isEmpty()) {
            to.begin(HOSTNAME).text(name).end();
        }
    }

    /** The NIS domain name; nothing when empty. */
    public void domainname(String name) {
        if (!name.isEmpty()) {
            to.begin(DOMAINNAME).text(name).end();
        }
    }

    /** The time of day in nanoseconds since 1970. */
    public void clock(long nanos) {
        to.begin(CLOCK).u64(nanos).end();
    }

    /** A kernel parameter as {@code name} and value. */
    public void sysctl(String name, String value) {
        to.begin(SYSCTL).text(name).text("=").text(value).end();
    }

    /** A network device, known by its MAC address from here on. */
    public void nic(byte[] mac, int mtu, String name) {
        to.begin(NIC).raw(mac).u32(mtu).str(name).end();
    }

    /** An address of that device; an empty broadcast address for none. */
    public void address(byte[] mac, byte[] address, int prefixLength, byte[] broadcast) {
        address(ADDRESS, mac, address, prefixLength, broadcast);
    }

    /** A route through that device; an empty gateway for none; scope is RT_SCOPE_* of rtnetlink(7). */
    public void route(byte[] mac, byte[] destination, int prefixLength, byte[] gateway, long metric, int scope) {
        route(ROUTE, mac, destination, prefixLength, gateway, metric, scope);
    }

    /** The network device is to go; in a change only, as the next two. */
    public void nicGone(byte[] mac) {
        to.begin(NIC_GONE).raw(mac).end();
    }

    /** As {@link #address}: one that is to go. */
    public void addressGone(byte[] mac, byte[] address, int prefixLength, byte[] broadcast) {
        address(ADDRESS_GONE, mac, address, prefixLength, broadcast);
    }

    /** As {@link #route}: one that is to go. */
    public void routeGone(byte[] mac, byte[] destination, int prefixLength, byte[] gateway, long metric, int scope) {
        route(ROUTE_GONE, mac, destination, prefixLength, gateway, metric, scope);
    }

    /** The kernel came up on one CPU, and the agent is to bring the others online. */
    public void onlineCpus() {
        to.begin(ONLINE_CPUS).u8(1).end();
    }

    /** … until so many are, with the first. */
    public void processors(int count) {
        to.begin(PROCESSORS).u32(count).end();
    }

    /** As many bytes as nobody else knows and no other VM is given: the guest's random numbers are made of them from now on. */
    public void entropy(byte[] bytes) {
        to.begin(ENTROPY).raw(bytes).end();
    }

    /** Modules that the initramfs has a list of, {@code /modules-<name>.list}. */
    public void modules(String name) {
        to.begin(MODULES).text(name).end();
    }

    /** The sandbox's network namespace is others', too; by this IPv4 address the guest reaches 127.0.0.1 there. */
    public void sharedNetwork(byte[] loopback) {
        to.begin(SHARED_NETWORK).raw(loopback).end();
    }

    /** All records so far. */
    public byte[] toBytes() {
        return to.toBytes();
    }

    private void address(int tag, byte[] mac, byte[] address, int prefixLength, byte[] broadcast) {
        to.begin(tag).raw(mac).u8(family(address)).u8(prefixLength);
        to.address(address).address(broadcast).end();
    }

    private void route(
            int tag, byte[] mac, byte[] destination, int prefixLength, byte[] gateway, long metric, int scope) {
        to.begin(tag).raw(mac).u8(family(destination)).u8(prefixLength);
        to.address(destination).address(gateway.length == 0 ? NONE : gateway);
        to.u32(metric).u8(scope).u8(0).end();
    }

    private static int family(byte[] address) {
        return address.length == IPV4_BYTES ? 4 : 6;
    }
}
