// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.plan;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.dkvm.core.machine.BreakPoint;
import org.dkvm.core.machine.Disk;
import org.dkvm.core.machine.HostNames;
import org.dkvm.core.machine.MachineShape;
import org.dkvm.core.machine.NetworkMode;

/**
 * What the VM is, and what all its containers share.
 *
 * @param shape kernel, processors, memory, board, display
 * @param disks virtual disks; each is mounted by a container, which knows it by its serial number
 * @param network whose network namespace the sandbox has
 * @param breaks where the launch waits for a person, in order
 * @param names what the machine is called
 * @param sysctls kernel parameters that were asked for
 * @param template the key of what it is restored from; empty where it boots
 */
public record VmPlan(
        MachineShape shape,
        List<Disk> disks,
        NetworkMode network,
        List<BreakPoint> breaks,
        HostNames names,
        Map<String, String> sysctls,
        String template) {
    public VmPlan {
        disks = List.copyOf(disks);
        breaks = List.copyOf(breaks);
        sysctls = Collections.unmodifiableMap(new LinkedHashMap<>(sysctls));
    }

    /** One that boots. */
    public VmPlan(
            MachineShape shape,
            List<Disk> disks,
            NetworkMode network,
            List<BreakPoint> breaks,
            HostNames names,
            Map<String, String> sysctls) {
        this(shape, disks, network, breaks, names, sysctls, "");
    }

    /** Whether it goes on from where its template was saved; it boots where that fails. */
    public boolean restored() {
        return !template.isEmpty();
    }

    /** The same without KVM. */
    VmPlan translated() {
        return new VmPlan(shape.translated(), disks, network, breaks, names, sysctls);
    }

    /** The same by a boot. */
    VmPlan booted() {
        return new VmPlan(shape, disks, network, breaks, names, sysctls);
    }
}
