// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.start;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.SandboxPaths;
import org.dkvm.machine.MachineNic;
import org.dkvm.network.NetworkDevice;
import org.dkvm.network.SharedNetwork;
import org.dkvm.network.Takeover;
import org.jspecify.annotations.Nullable;

/**
 * The VM's network as it is at the start.
 *
 * @param nics its cards, for QEMU
 * @param devices what the guest makes of each, in the same order
 * @param withoutIpv6 the names of net.ipv6.conf that have IPv6 switched off
 * @param takeover how the namespace's devices are taken over, whose changes are followed; null: they are left alone
 */
public record VmNetwork(
        List<MachineNic> nics,
        List<NetworkDevice> devices,
        List<String> withoutIpv6,
        @Nullable Takeover takeover) {
    public VmNetwork {
        nics = List.copyOf(nics);
        devices = List.copyOf(devices);
        withoutIpv6 = List.copyOf(withoutIpv6);
    }

    /** The namespace's devices are the VM's. */
    public static VmNetwork of(Takeover takeover, List<String> withoutIpv6) {
        List<MachineNic> nics = new ArrayList<>();
        boolean vhost = hasVhost();
        List<NetworkDevice> devices = new ArrayList<>();
        for (Takeover.Tap tap : takeover.taps()) {
            NetworkDevice device = tap.device();
            nics.add(new MachineNic(tap.name(), device.mac().toString(), device.mtu(), vhost));
            devices.add(device);
        }
        return new VmNetwork(nics, devices, withoutIpv6, takeover);
    }

    /** Whether the host's kernel is to carry the packets: the device is in the sandbox only then. */
    public static boolean hasVhost() {
        return Files.exists(Path.of(SandboxPaths.VHOST_NET));
    }

    /** The namespace is left as it is. */
    public static VmNetwork of(SharedNetwork network, List<String> withoutIpv6) {
        NetworkDevice device = network.device();
        return new VmNetwork(
                List.of(MachineNic.inQemu(network.netdev(), device.mac().toString(), device.mtu())),
                List.of(device),
                withoutIpv6,
                null);
    }
}
