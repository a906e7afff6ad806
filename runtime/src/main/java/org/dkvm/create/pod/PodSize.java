// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create.pod;

import com.google.gson.JsonObject;
import java.util.Optional;
import org.dkvm.bundle.options.HostConfig;
import org.dkvm.bundle.options.VmDefaults;
import org.dkvm.core.MemorySize;
import org.dkvm.json.Json;

/**
 * How large a pod's VM is: containerd writes what all of the pod's containers may use together into the annotations of the pause container, whose own limits say nothing. Where a kubelet older
 * than 1.23 does not tell, the VM is what it is without limits.
 */
public final class PodSize {
    /** For the guest's kernel and its agent, which no container's limit has room for. */
    private static final MemorySize GUESTS_OWN = MemorySize.ofMib(48);

    private static final String PREFIX = "io.kubernetes.cri.sandbox-";
    private static final long DEFAULT_PERIOD = 100_000;

    private PodSize() {}

    /** The host's settings, with the pod's size for what a container does not say. */
    public static HostConfig of(JsonObject spec, HostConfig config) {
        JsonObject annotations = Json.object(spec, "annotations").orElseGet(JsonObject::new);
        long memory = number(annotations, "memory");
        long quota = number(annotations, "cpu-quota");
        long period = number(annotations, "cpu-period");
        VmDefaults vms = config.vms();
        long perCpu = period > 0 ? period : DEFAULT_PERIOD;
        return config.with(new VmDefaults(
                vms.acceleration(),
                vms.kernel(),
                memory > 0 ? MemorySize.ofMib(new MemorySize(memory).mib()).plus(GUESTS_OWN) : vms.memory(),
                quota > 0 ? Math.toIntExact(Math.min((quota + perCpu - 1) / perCpu, Integer.MAX_VALUE)) : vms.cpus(),
                vms.template()));
    }

    private static long number(JsonObject annotations, String name) {
        Optional<String> text = Json.string(annotations, PREFIX + name);
        try {
            return text.isPresent() ? Math.max(0, Long.parseLong(text.get())) : 0;
        } catch (NumberFormatException e) {
            return 0;
        }
    }
}
