// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.process;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.dkvm.bundle.options.Options;
import org.dkvm.bundle.plan.GuestBounds;
import org.dkvm.core.DkvmException;
import org.dkvm.core.container.CapabilitySets;
import org.dkvm.core.container.Command;
import org.dkvm.core.container.ProcessRights;
import org.dkvm.core.container.ProcessUser;
import org.dkvm.core.container.ResourceLimit;
import org.dkvm.core.container.WorkloadProcess;
import org.dkvm.json.Json;
import org.dkvm.linux.ExecutableLookup;

/** Reads a process of a spec, the container's own or an exec'ed one, as one to run in the guest. */
public final class Workload {
    private static final int DEFAULT_UMASK = 022;
    private static final long MAX_ID = 0xFFFF_FFFFL;
    private static final CapabilitySets NO_CAPABILITIES = new CapabilitySets(0, 0, 0, 0, 0);

    private Workload() {}

    /**
     * The process.
     *
     * @param process its part of the spec
     * @param args its arguments, without an engine's init
     * @param defaults the capabilities that the engine leaves a container by itself
     * @param inherited the resource limits it has where it names none
     */
    public static WorkloadProcess of(
            JsonObject process, List<String> args, EngineDefaults defaults, List<ResourceLimit> inherited)
            throws DkvmException {
        if (args.isEmpty()) {
            throw new DkvmException("the container's process has no arguments", "");
        }
        JsonObject user = Json.object(process, "user").orElseGet(JsonObject::new);
        // As runc: each once. Engines name the user's own group among them, and one that is given twice.
        Set<Long> groups = new LinkedHashSet<>();
        for (JsonElement group : Json.array(user, "additionalGids")) {
            groups.add(checkedId(Json.number(group).orElse(-1L)));
        }
        List<String> env = Options.without(Json.strings(process, "env"));
        String cwd = Json.string(process, "cwd").orElse("/");
        WorkloadProcess workload = new WorkloadProcess(
                new Command(
                        args,
                        cwd.startsWith("/") ? cwd : "/" + cwd,
                        env,
                        ExecutableLookup.value(env, "HOME").isEmpty()),
                Json.isTrue(process, "terminal"),
                new ProcessUser(
                        checkedId(Json.number(user, "uid").orElse(0L)),
                        checkedId(Json.number(user, "gid").orElse(0L)),
                        List.copyOf(groups),
                        (int) (Json.number(user, "umask").orElse((long) DEFAULT_UMASK) & 0777)),
                new ProcessRights(
                        capabilities(process, defaults),
                        Json.isTrue(process, "noNewPrivileges"),
                        RlimitNames.of(process, inherited),
                        Math.clamp(Json.number(process, "oomScoreAdj").orElse(0L), -1000, 1000)));
        GuestBounds.check(workload);
        return workload;
    }

    /**
     * The workload's capabilities. Where nothing was taken away, of the engine's default set or of all, they are all there are: the machine is the workload's own.
     * Otherwise the user chose, and the choice holds.
     */
    private static CapabilitySets capabilities(JsonObject process, EngineDefaults defaults) {
        Optional<CapabilitySets> given = CapabilityNames.of(process);
        if (given.isEmpty()) {
            return NO_CAPABILITIES;
        }
        CapabilitySets sets = given.get();
        if (defaults.somethingWasDropped(sets.bounding())) {
            return sets;
        }
        // A user other than root has none in force: the engine's spec says so by an empty set.
        long inForce = sets.effective() == 0 ? 0 : CapabilityNames.ALL;
        return new CapabilitySets(CapabilityNames.ALL, inForce, inForce, 0, 0);
    }

    private static long checkedId(long id) throws DkvmException {
        if (id < 0 || id > MAX_ID) {
            throw new DkvmException("user or group id " + id + " is not valid", "");
        }
        return id;
    }
}
