// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create.pod;

import com.google.gson.JsonObject;
import java.util.Optional;
import org.dkvm.bundle.options.HostConfig;
import org.dkvm.bundle.options.VmDefaults;
import org.dkvm.core.MemorySize;
import org.dkvm.core.container.MemberLimits;
import org.dkvm.json.Json;

/**
 * How large a pod's VM is: containerd writes what all of the pod's containers may use together into the annotations of the pause container, whose own limits say nothing. Where a kubelet older
 * than 1.23 does not tell, the VM is what it is without limits.
 */
public final class PodSize {
    /** Those of a kubelet; of burstable pods it has a range. */
    private static final int BEST_EFFORT = 1000;

    private static final int BURSTABLE = 500;
    private static final int GUARANTEED = -997;

    private static final long MIB = 1L << 20;
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
                memory > 0
                        ? MemorySize.ofMib(new MemorySize(memory + MIB - 1).mib())
                                .plus(MemberLimits.GUESTS_OWN)
                        : vms.memory(),
                quota > 0 ? Math.toIntExact(Math.min((quota + perCpu - 1) / perCpu, Integer.MAX_VALUE)) : vms.cpus(),
                vms.template()));
    }

    /**
     * Gives the sandbox's spec what the pod's VM is to the host's kernel. A pause container is spared when memory is short, and has next to no share of the processors, as it uses nothing:
     * its VM has all that the pod uses. The kubelet's rules for the containers of a pod hold for it, by the class that the control group's path tells.
     */
    public static void weigh(JsonObject spec) {
        JsonObject linux = Json.objectOrNew(spec, "linux");
        String path = Json.string(linux, "cgroupsPath").orElse("");
        Json.objectOrNew(spec, "process").addProperty("oomScoreAdj", score(path));
        Json.object(Json.objectOrNew(linux, "resources"), "cpu").ifPresent(cpu -> cpu.remove("shares"));
    }

    private static int score(String path) {
        if (path.contains("besteffort")) {
            return BEST_EFFORT;
        }
        if (path.contains("burstable")) {
            return BURSTABLE;
        }
        return path.contains("kubepods") ? GUARANTEED : 0;
    }

    /** What a VM of the default size has for its containers. */
    static MemorySize unlimited(HostConfig config) {
        return MemorySize.ofMib(Math.max(0, config.vms().memory().mib() - MemberLimits.GUESTS_OWN.mib()));
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
