// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create.pod;

import com.google.gson.JsonObject;
import java.util.List;
import org.dkvm.bundle.plan.VmPlan;
import org.dkvm.bundle.spec.Pod;
import org.dkvm.core.machine.NetworkMode;

/** What dkvm-keep is told of the container that holds a pod (native/host/keep/dkvm-keep.c). */
public final class PodHolder {
    private static final String HOLDS_POD = "pod";

    /** Longer than any engine's; dkvm-keep reads so much. */
    private static final int MOST_PATH = 256;

    private PodHolder() {}

    /**
     * By line: that it holds one; and where the network namespace is the VM's, the port at which the sandbox listens itself, 0 for none, and the namespace's path. There localhost
     * leads to the VM.
     *
     * @param spec the container's, as the engine wrote it
     * @param pod what it says of the pod: Podman connects to no localhost of its pods
     */
    public static List<String> lines(VmPlan vm, JsonObject spec, Pod pod) {
        String path = Pod.network(spec);
        boolean told = path.startsWith("/") && path.length() <= MOST_PATH && path.indexOf('\n') < 0;
        return told && !pod.podmans() && vm.network() == NetworkMode.OWN
                ? List.of(HOLDS_POD, vm.shape().display().port() + " " + path)
                : List.of(HOLDS_POD);
    }
}
