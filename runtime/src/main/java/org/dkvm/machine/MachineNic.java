// SPDX-License-Identifier: Apache-2.0
package org.dkvm.machine;

/**
 * A network card of the VM.
 *
 * @param tap the sandbox's device behind it
 * @param mac its address, {@code 02:42:ac:11:00:02}
 * @param mtu in bytes, told to the guest
 * @param vhost whether the host's kernel carries its packets, by /dev/vhost-net
 */
public record MachineNic(String tap, String mac, int mtu, boolean vhost) {}
