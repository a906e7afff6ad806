// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.container;

import java.util.List;

/**
 * A device that somebody asked for ({@code docker run --device}): a block device of the host, as a disk of the VM, or a device that guests have by themselves.
 *
 * @param path where it is in the guest, below /dev
 * @param number its number: on the host for a block device, else in the guest, where these numbers are the same
 * @param writable whether it may be written to; of no meaning for a guest's own
 * @param node who may open it in the guest
 */
public record GuestDevice(String path, DeviceNumber number, boolean writable, NodeAccess node) {
    /** Where devices are. */
    public static final String DIRECTORY = "/dev/";

    private static final String HOST_NODE = "/dev/dkvm-disk";

    public GuestDevice {
        if (!path.startsWith(DIRECTORY)) {
            throw new IllegalArgumentException("device \"" + path + "\" is not in " + DIRECTORY);
        }
    }

    /** Whether it is a block device: a disk of the VM. */
    public boolean isBlock() {
        return number.block();
    }

    /** How many of them are disks of the VM. */
    public static int disks(List<GuestDevice> devices) {
        int count = 0;
        for (GuestDevice device : devices) {
            count += device.isBlock() ? 1 : 0;
        }
        return count;
    }

    /** The serial number by which the agent finds the disk of the device with that place in the plan's list. */
    public static String serial(int index) {
        return "device" + index;
    }

    /** The host's device in the sandbox, by its place in the plan's list. */
    public static String node(int index) {
        return HOST_NODE + index;
    }
}
