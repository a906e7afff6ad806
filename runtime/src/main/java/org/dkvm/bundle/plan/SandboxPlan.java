// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.plan;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.dkvm.core.MemorySize;
import org.dkvm.core.container.CgroupMode;
import org.dkvm.core.container.GuestDevice;
import org.dkvm.core.container.GuestMount;
import org.dkvm.core.container.WorkloadProcess;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.core.machine.BreakPoint;
import org.dkvm.core.machine.Disk;
import org.dkvm.core.machine.Display;
import org.dkvm.core.machine.Growth;
import org.dkvm.core.machine.GuestKernel;
import org.dkvm.core.machine.Hardware;
import org.dkvm.core.machine.NetworkMode;

/**
 * All that a sandbox's monitor needs to know: written by create as sandbox.json, read by the monitor, never changed.
 *
 * @param id the container's id
 * @param process the workload
 * @param init whether the workload runs under an init ({@code docker run --init})
 * @param mounts what the agent mounts in the guest, in order
 * @param sysctls kernel parameters set in the guest
 * @param hostname the guest's host name; empty: the kernel's default
 * @param domainname the guest's NIS domain name; empty for none
 * @param rootReadOnly whether the root filesystem is read-only
 * @param cpus virtual CPUs, at least 1
 * @param memory the VM's memory
 * @param accelerator how QEMU runs the guest
 * @param kernel the kernel to boot
 * @param cgroups the cgroup hierarchies mounted in the guest
 * @param pidsLimit processes and threads the workload may have; 0: no limit
 * @param network whose network namespace the sandbox has
 * @param sysAdmin whether virtiofsd has CAP_SYS_ADMIN
 * @param biosDebug whether the firmware's messages go to the console
 * @param disks virtual disks; each has its mount in {@code mounts}, by its serial number
 * @param hardware the VM's board and firmware
 * @param breaks where the launch waits for a person, in order
 * @param display what the VM shows, and where
 * @param tscKilohertz how often the host's time stamp counter counts, which an emulated machine's processors have, too; 0: not told
 * @param growth how large the VM can become while it runs
 * @param devices those that were asked for
 * @param memoryCeiling bytes of memory and swap at which the engine's control group kills in the sandbox; 0: it has no such limit
 */
public record SandboxPlan(
        String id,
        WorkloadProcess process,
        boolean init,
        List<GuestMount> mounts,
        Map<String, String> sysctls,
        String hostname,
        String domainname,
        boolean rootReadOnly,
        int cpus,
        MemorySize memory,
        Accelerator accelerator,
        GuestKernel kernel,
        CgroupMode cgroups,
        long pidsLimit,
        NetworkMode network,
        boolean sysAdmin,
        boolean biosDebug,
        List<Disk> disks,
        Hardware hardware,
        List<BreakPoint> breaks,
        Display display,
        long tscKilohertz,
        Growth growth,
        List<GuestDevice> devices,
        long memoryCeiling) {
    public SandboxPlan {
        if (cpus < 1) {
            throw new IllegalArgumentException("a VM needs at least one CPU, not " + cpus);
        }
        if (pidsLimit < 0) {
            throw new IllegalArgumentException("pids limit " + pidsLimit + " is negative");
        }
        if (growth.cpus() < cpus || growth.memory().compareTo(memory) < 0) {
            throw new IllegalArgumentException(
                    "a VM of " + cpus + " CPUs and " + memory + " can not grow to " + growth);
        }
        mounts = List.copyOf(mounts);
        disks = List.copyOf(disks);
        devices = List.copyOf(devices);
        breaks = List.copyOf(breaks);
        sysctls = Collections.unmodifiableMap(new LinkedHashMap<>(sysctls));
    }

    /** How many of the mounts are sockets of the host. */
    public int sockets() {
        int count = 0;
        for (GuestMount mount : mounts) {
            count += mount.kind() == GuestMount.Kind.SOCKET ? 1 : 0;
        }
        return count;
    }
}
