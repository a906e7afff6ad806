// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.plan;

import java.util.List;

/**
 * All that a sandbox's monitor needs to know: written by create as sandbox.json, read by the monitor, never changed.
 *
 * @param vm what the VM is
 * @param rights what the sandbox may
 * @param containers what the guest is told of each container that the VM starts with: one
 * @param mounts what runc mounts in the sandbox, and where it has the files that it opens
 */
public record SandboxPlan(VmPlan vm, SandboxRights rights, List<ContainerPlan> containers, SandboxMounts mounts) {
    public SandboxPlan {
        if (containers.size() != 1) {
            throw new IllegalArgumentException("a VM starts with one container, not " + containers.size());
        }
        containers = List.copyOf(containers);
    }

    /** The same VM without KVM. */
    public SandboxPlan translated() {
        return new SandboxPlan(vm.translated(), rights, containers, mounts);
    }

    /** The same VM by a boot. */
    public SandboxPlan booted() {
        return new SandboxPlan(vm.booted(), rights, containers, mounts);
    }

    /** The container that the VM starts with. */
    public ContainerPlan container() {
        return containers.getFirst();
    }
}
