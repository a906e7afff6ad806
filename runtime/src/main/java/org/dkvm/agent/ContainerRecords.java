// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

import org.dkvm.core.container.CgroupMode;
import org.dkvm.core.container.GuestDevice;
import org.dkvm.core.container.GuestMount;
import org.dkvm.core.container.MemberLimits;

/** Writes a container as the records of CONTAINER (protocol/PROTOCOL.md, "Container records"). */
public final class ContainerRecords {
    /** A container's records together, in bytes. */
    public static final int MAX_BYTES = 1024 * 1024;

    private static final int ROOT = 103;
    private static final int MOUNT = 104;
    private static final int CGROUPS = 110;
    private static final int PIDS_LIMIT = 111;
    private static final int DEVICE = 126;
    private static final int MASKED_PATH = 127;
    private static final int READ_ONLY_PATH = 128;
    private static final int ROOT_SLOT = 130;
    private static final int MEMORY_LIMIT = 131;
    private static final int CPU_LIMIT = 132;
    private static final int CPU_WEIGHT = 133;
    private static final int PID_NAMESPACE = 134;
    private static final int IPC_NAMESPACE = 135;
    private static final int HOST_NAME = 136;
    private static final int BLOCK_DEVICE = 1;
    private static final int CHARACTER_DEVICE = 2;

    private final RecordWriter to = new RecordWriter();

    /** The root filesystem is read-only. */
    public void rootReadOnly() {
        to.begin(ROOT).u8(1).end();
    }

    /** A mount, in order. */
    public void mount(GuestMount mount) {
        to.begin(MOUNT).u8(mount.kind().code()).u64(mount.flags());
        to.str(mount.target()).str(mount.source()).str(mount.filesystem()).str(mount.data());
        to.end();
    }

    /** A device; the serial number is a disk's. */
    public void device(GuestDevice device, String serial) {
        to.begin(DEVICE)
                .u8(device.isBlock() ? BLOCK_DEVICE : CHARACTER_DEVICE)
                .u32(device.node().mode());
        to.u32(device.node().uid()).u32(device.node().gid());
        to.u32(device.isBlock() ? 0 : device.number().major())
                .u32(device.isBlock() ? 0 : device.number().minor());
        to.str(device.path()).str(device.isBlock() ? serial : "").end();
    }

    /** A path that is to look empty. */
    public void maskedPath(String path) {
        to.begin(MASKED_PATH).text(path).end();
    }

    /** A path where nobody is to write. */
    public void readOnlyPath(String path) {
        to.begin(READ_ONLY_PATH).text(path).end();
    }

    /** The cgroup hierarchies to mount. */
    public void cgroups(CgroupMode mode) {
        to.begin(CGROUPS).u8(mode.code()).end();
    }

    /** The processes and threads the container may have; nothing for 0, no limit. */
    public void pidsLimit(long limit) {
        if (limit > 0) {
            to.begin(PIDS_LIMIT).u64(limit).end();
        }
    }

    /** Where the share has the root: a path below it. */
    public void rootSlot(String slot) {
        to.begin(ROOT_SLOT).text(slot).end();
    }

    /** What its group of processes is held to; nothing for 0, no limit. */
    public void limits(MemberLimits limits) {
        if (limits.memory() > 0) {
            to.begin(MEMORY_LIMIT).u64(limits.memory()).end();
        }
        if (limits.cpuQuota() > 0) {
            to.begin(CPU_LIMIT).u64(limits.cpuQuota()).u64(limits.cpuPeriod()).end();
        }
        if (limits.cpuWeight() > 0) {
            to.begin(CPU_WEIGHT).u32(limits.cpuWeight()).end();
        }
    }

    /** Its processes are in the PID namespace of the container that the VM starts with. */
    public void inFirstsPidNamespace() {
        to.begin(PID_NAMESPACE).u8(1).end();
    }

    /** It has an IPC namespace of its own. */
    public void ownIpcNamespace() {
        to.begin(IPC_NAMESPACE).u8(1).end();
    }

    /** It has a UTS namespace of its own, with that host name; nothing for the empty one. */
    public void ownHostName(String name) {
        if (!name.isEmpty()) {
            to.begin(HOST_NAME).text(name).end();
        }
    }

    /** All records so far. */
    public byte[] toBytes() {
        return to.toBytes();
    }
}
