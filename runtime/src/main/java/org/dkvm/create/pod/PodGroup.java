// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create.pod;

import com.google.gson.JsonObject;
import java.util.List;
import org.dkvm.bundle.host.HostView;
import org.dkvm.bundle.options.HostConfig;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.json.Json;

/**
 * What the control group that Podman has made for a pod allows all of it together ({@code pod create --memory}): no spec tells. Who made the group holds the VM to it, with all that is around the VM.
 *
 * @param memory bytes; 0: no limit
 * @param cpuQuota microseconds of processor time in each period; 0: no limit
 * @param cpuPeriod microseconds
 */
public record PodGroup(long memory, long cpuQuota, long cpuPeriod) {
    private static final String CGROUPS = "/sys/fs/cgroup";
    private static final String SLICE = ".slice:";

    /** cgroup v1 has a number of this size where there is no limit. */
    private static final long NO_LIMIT = 1L << 60;

    /** The group of the pod whose pause container has this spec. */
    public static PodGroup of(JsonObject spec, HostView host) {
        String group = directory(
                Json.string(Json.objectOrNew(spec, "linux"), "cgroupsPath").orElse(""));
        if (group.isEmpty()) {
            return new PodGroup(0, 0, 0);
        }
        long memory = number(host.line(CGROUPS + group + "/memory.max"));
        if (memory == 0) {
            memory = number(host.line(CGROUPS + "/memory" + group + "/memory.limit_in_bytes"));
        }
        List<String> cpu = words(host.line(CGROUPS + group + "/cpu.max"));
        String quota = cpu.size() == 2 ? cpu.getFirst() : host.line(CGROUPS + "/cpu" + group + "/cpu.cfs_quota_us");
        String period = cpu.size() == 2 ? cpu.getLast() : host.line(CGROUPS + "/cpu" + group + "/cpu.cfs_period_us");
        return new PodGroup(memory, number(quota), number(period));
    }

    /** Below the hierarchy's root: by cgroupfs "/parent/pod/libpod-id", by systemd "machine-libpod_pod_id.slice:libpod:id". */
    private static String directory(String path) {
        int slice = path.indexOf(SLICE);
        if (slice < 0) {
            return path.startsWith("/") ? path.substring(0, path.lastIndexOf('/')) : "";
        }
        StringBuilder directory = new StringBuilder();
        String name = path.substring(0, slice);
        for (int dash = name.indexOf('-'); dash >= 0; dash = name.indexOf('-', dash + 1)) {
            directory.append('/').append(name, 0, dash).append(".slice");
        }
        return directory + "/" + name + ".slice";
    }

    private static List<String> words(String line) {
        int blank = line.indexOf(' ');
        return blank < 0 ? List.of(line) : List.of(line.substring(0, blank), line.substring(blank + 1));
    }

    private static long number(String text) {
        try {
            long number = Long.parseLong(text);
            return number > 0 && number < NO_LIMIT ? number : 0;
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    /**
     * Gives the pause container what is the VM's of the pod's memory and processors.
     *
     * @param spec changed
     * @param overhead what a sandbox needs beyond its VM's memory
     * @return how large the VM may become
     */
    public MemorySize give(JsonObject spec, MemorySize overhead, MemorySize hosts) throws DkvmException {
        JsonObject resources = Json.objectOrNew(Json.objectOrNew(spec, "linux"), "resources");
        if (cpuQuota > 0) {
            JsonObject cpu = Json.objectOrNew(resources, "cpu");
            cpu.addProperty("quota", cpuQuota);
            cpu.addProperty("period", cpuPeriod);
        }
        if (memory == 0) {
            return hosts;
        }
        long vms = memory - overhead.bytes();
        if (vms < HostConfig.SMALLEST_MEMORY.bytes()) {
            throw new DkvmException(
                    "the pod's memory limit of " + new MemorySize(memory) + " is too small for a VM",
                    "give the pod " + overhead.plus(HostConfig.SMALLEST_MEMORY)
                            + " at least (podman pod create --memory): " + overhead
                            + " of it are for what runs the VM");
        }
        JsonObject own = new JsonObject();
        own.addProperty("limit", vms);
        resources.add("memory", own);
        return new MemorySize(vms);
    }
}
