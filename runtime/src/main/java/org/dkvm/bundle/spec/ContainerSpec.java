// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.spec;

import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.List;
import org.dkvm.bundle.host.HostView;
import org.dkvm.bundle.mounts.MountPlan;
import org.dkvm.bundle.process.EngineDefaults;
import org.dkvm.bundle.process.InitWrapper;
import org.dkvm.bundle.process.Workload;
import org.dkvm.core.DkvmException;
import org.dkvm.core.container.GuestDevice;
import org.dkvm.core.container.ResourceLimit;
import org.dkvm.core.container.WorkloadProcess;
import org.dkvm.core.machine.Disk;
import org.dkvm.core.machine.NetworkMode;
import org.dkvm.json.Json;

/**
 * A container's spec as far as it is read before anything is chosen for its VM.
 *
 * @param spec a copy of the engine's, which the rewrite makes the sandbox's
 * @param process the workload, without an engine's init
 * @param init whether the engine put an init before it
 * @param mounts how the mounts were sorted
 * @param network whose network namespace it names
 * @param devices those that were asked for
 * @param hostName the guest's; empty: the kernel's default
 */
public record ContainerSpec(
        JsonObject spec,
        WorkloadProcess process,
        boolean init,
        MountPlan mounts,
        NetworkMode network,
        List<GuestDevice> devices,
        String hostName) {
    /**
     * Reads a spec; what is not supported is refused.
     *
     * @param original as the engine wrote it; it is left as it is
     * @param pod its place in a pod
     * @param bundle its directory, absolute
     * @param disks mounted in the guest, too
     * @param inherited the resource limits a container inherits from the runtime
     */
    public static ContainerSpec read(
            JsonObject original, Pod pod, Path bundle, List<Disk> disks, List<ResourceLimit> inherited, HostView host)
            throws DkvmException {
        SpecTexts.check(original);
        JsonObject spec = original.deepCopy();
        JsonObject process = Json.objectOrNew(spec, "process");
        JsonObject linux = Json.objectOrNew(spec, "linux");
        if (pod.isContainer()) {
            Pod.detach(linux);
        }
        SupportedSpec.check(linux);
        DeviceRequests.dropMounted(spec, host);
        InitWrapper init = InitWrapper.of(Json.strings(process, "args"), Json.objects(spec, "mounts"));
        return new ContainerSpec(
                spec,
                Workload.of(process, init.args(), EngineDefaults.of(spec), inherited),
                init.present(),
                MountPlan.of(spec, bundle, init.mount(), disks, host),
                NetworkNamespace.mode(linux, host, pod),
                DeviceRequests.of(spec, host),
                hostName(spec, linux, host, pod));
    }

    /** A namespace of its own begins with the host's name. */
    private static String hostName(JsonObject spec, JsonObject linux, HostView host, Pod pod) {
        String given = SupportedSpec.hasHostUts(linux)
                ? ""
                : Json.string(spec, "hostname").orElse("");
        String known = given.isEmpty() && pod.isContainer() ? Pod.hostName(spec, host) : given;
        return known.isEmpty() ? host.name() : known;
    }
}
