// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.machine;

/**
 * A virtual disk whose content is a file of the container or of a volume.
 *
 * @param source the backing file, an absolute path in the container; below {@link org.dkvm.core.SandboxPaths#DISKS} a path that only the sandbox has
 * @param target where the guest mounts it, an absolute path
 * @param filesystem what is made in a new file, and expected in one that exists
 * @param bytes its size, a multiple of {@link #BLOCK_BYTES}
 */
public record Disk(String source, String target, DiskFilesystem filesystem, long bytes) {
    /** The unit of sizes: no filesystem uses less than a whole one. */
    public static final long BLOCK_BYTES = 4096;

    public Disk {
        if (!source.startsWith("/") || !target.startsWith("/")) {
            throw new IllegalArgumentException("disk \"" + source + "\" on \"" + target + "\" is not absolute");
        }
        if (bytes < filesystem.minimumBytes() || bytes % BLOCK_BYTES != 0) {
            throw new IllegalArgumentException("disk \"" + source + "\" can not have " + bytes + " bytes");
        }
    }

    /** The virtio serial number by which the agent finds a container's disk. */
    public static String serial(int index) {
        return "disk" + index;
    }
}
