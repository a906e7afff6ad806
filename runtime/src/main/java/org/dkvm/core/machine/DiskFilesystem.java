// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.machine;

/** What a disk can be formatted with. */
public enum DiskFilesystem {
    EXT2("ext2", DiskFilesystem.EXT_MINIMUM, false),
    EXT3("ext3", DiskFilesystem.EXT_MINIMUM, false),
    EXT4("ext4", DiskFilesystem.EXT_MINIMUM, false),
    /** mkfs.xfs(8) refuses less. */
    XFS("xfs", 300L * 1024 * 1024, true),
    /** mkfs.btrfs(8) refuses less. */
    BTRFS("btrfs", 109L * 1024 * 1024, true);

    /** Room for ext3's smallest journal and some files. */
    private static final long EXT_MINIMUM = 8L * 1024 * 1024;

    private final String label;
    private final long minimumBytes;
    private final boolean needsModules;

    DiskFilesystem(String label, long minimumBytes, boolean needsModules) {
        this.label = label;
        this.minimumBytes = minimumBytes;
        this.needsModules = needsModules;
    }

    /** Its name, as mount(2) takes it. */
    public String label() {
        return label;
    }

    /** The size in bytes below which it can not be made. */
    public long minimumBytes() {
        return minimumBytes;
    }

    /** Whether kernels may have it as modules, which only the larger initramfs holds. */
    public boolean needsModules() {
        return needsModules;
    }
}
