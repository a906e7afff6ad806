// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create.pod;

import com.google.gson.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.dkvm.bundle.host.ContainerState;
import org.dkvm.bundle.host.HostView;
import org.dkvm.bundle.sandbox.SandboxSpec;
import org.dkvm.bundle.spec.Pod;
import org.dkvm.core.ContainerId;
import org.dkvm.core.DkvmException;
import org.dkvm.json.Json;
import org.dkvm.vm.VmList;
import org.dkvm.vm.VmRecord;

/** The other VMs of a pod whose pause container is none: there may be none, see docs/adr/0019-pods.md. */
public final class PodNeighbours {
    private PodNeighbours() {}

    /** Refuses a pod's second container while the first one is there. */
    public static void check(Path vms, ContainerId own, Pod pod, HostView host) throws DkvmException {
        for (VmRecord vm : VmList.present(vms).there()) {
            if (!vm.id().equals(own) && pod.id().equals(podOf(vm, host))) {
                throw new DkvmException(
                        "one container of this pod can be a VM, and \"" + vm.id()
                                + "\" is: the pod's pause container is not DKVM's",
                        "make the pod anew with DKVM, as by \"podman --runtime dkvm pod create ...\", or without it");
            }
        }
    }

    private static String podOf(VmRecord vm, HostView host) throws DkvmException {
        Optional<ContainerState> state = ContainerState.of(vm.state());
        if (state.isEmpty()) {
            return "";
        }
        Path spec = state.get().bundle().resolve(SandboxSpec.ORIGINAL_FILE);
        if (!Files.exists(spec)) {
            return "";
        }
        JsonObject original = Json.readObject(spec);
        return Pod.of(original, host).withoutVm(original, host).id();
    }
}
