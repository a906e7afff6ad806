// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.plan;

import java.util.List;
import org.dkvm.core.container.ContainerCgroup;
import org.dkvm.core.container.ContainerRoot;
import org.dkvm.core.container.GuestDevice;
import org.dkvm.core.container.WorkloadProcess;

/**
 * What the guest is told of a container.
 *
 * @param id the container's id
 * @param process its main process
 * @param init whether that runs under an init ({@code docker run --init})
 * @param root its root filesystem and what is mounted in it
 * @param devices those that were asked for
 * @param cgroup its control groups and what they hold it to
 */
public record ContainerPlan(
        String id,
        WorkloadProcess process,
        boolean init,
        ContainerRoot root,
        List<GuestDevice> devices,
        ContainerCgroup cgroup) {
    public ContainerPlan {
        devices = List.copyOf(devices);
    }
}
