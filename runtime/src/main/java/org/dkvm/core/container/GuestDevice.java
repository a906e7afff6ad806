// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.container;

import java.util.List;

/**
 * A device that somebody asked for ({@code docker run --device}): a block device of the host, as a disk of the VM, or a device that guests have by themselves.
 *
 * @param path where it is in the guest, below /dev
 * @param block whether it is a block device
 * @param major its number: on the host for a block device, else in the guest, where these numbers are the same
 * @param minor the rest of its number
 * @param writable whether it may be written to; of no meaning for a guest's own
 * @param mode the permissions of its node
 * @param uid the node's user
 * @param gid the node's group
 */
public record GuestDevice(
        String path, boolean block, int major, int minor, boolean writable, int mode, long uid, long gid) {
    /** Where devices are. */
    public static final String DIRECTORY = "/dev/";

    private static final String HOST_NODE = "/dev/dkvm-disk";

    public GuestDevice {
        if (!path.startsWith(DIRECTORY)) {
            throw new IllegalArgumentException("device \"" + path + "\" is not in " + DIRECTORY);
        }
    }

    /** How many of them are disks of the VM. */
    public static int disks(List<GuestDevice> devices) {
        int count = 0;
        for (GuestDevice device : devices) {
            count += device.block() ? 1 : 0;
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
