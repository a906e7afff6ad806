// SPDX-License-Identifier: Apache-2.0
package org.dkvm.exec;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.dkvm.bundle.host.ContainerState;
import org.dkvm.bundle.host.RealHost;
import org.dkvm.bundle.mounts.MountPlan;
import org.dkvm.bundle.options.Options;
import org.dkvm.bundle.process.EngineDefaults;
import org.dkvm.bundle.process.ExecutableCheck;
import org.dkvm.bundle.process.Workload;
import org.dkvm.bundle.sandbox.MonitorCommand;
import org.dkvm.bundle.sandbox.SandboxSpec;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.core.RuncMessages;
import org.dkvm.core.container.WorkloadProcess;
import org.dkvm.core.machine.Disk;
import org.dkvm.json.Json;
import org.dkvm.linux.AtomicFile;
import org.dkvm.linux.ProcessLimits;

/** Makes a process that runc would start in the container one that asks for it in the guest. */
public final class Exec {
    /** The client in the sandbox only talks to the monitor. */
    private static final long NO_CAPABILITIES = 0;

    private Exec() {}

    /**
     * Rewrites the process's file in place, or writes one where the arguments describe the process.
     *
     * @return the file to give runc by {@code --process}; empty when runc's arguments stay as they are; the launcher of the version that has to do it where that is not this one
     */
    public static Optional<Path> run(ExecRequest request, PackageLayout own) throws DkvmException {
        Optional<ContainerState> state = ContainerState.of(request.state());
        if (state.isEmpty() || !Files.exists(state.get().bundle().resolve(SandboxSpec.PLAN_FILE))) {
            return Optional.empty();
        }
        Optional<Path> other = state.get().otherLauncher(own);
        return other.isPresent() ? other : rewrite(request, state.get().bundle());
    }

    private static Optional<Path> rewrite(ExecRequest request, Path bundle) throws DkvmException {
        JsonObject spec = Json.readObject(bundle.resolve(SandboxSpec.ORIGINAL_FILE));
        JsonObject containerProcess = Json.objectOrNew(spec, "process");
        JsonObject process = read(request.source(), containerProcess);
        if (!process.has("capabilities") && containerProcess.has("capabilities")) {
            process.add("capabilities", containerProcess.get("capabilities").deepCopy());
        }
        WorkloadProcess workload =
                Workload.of(process, Json.strings(process, "args"), EngineDefaults.of(spec), ProcessLimits.own());
        MountPlan mounts = MountPlan.of(spec, bundle, "", List.of(), new RealHost());
        for (Disk disk : Options.disks(Json.strings(containerProcess, "env"))) {
            // Not as create does it: the workload may have changed its root since, and its disks are mounted.
            mounts.tree().addHidden(mounts.tree().find(disk.target()).path());
        }
        ExecutableCheck.check(workload, mounts.tree(), RuncMessages.Action.EXEC, true);
        return save(request.source(), bundle, rewrite(process, workload));
    }

    /** The process as runc is to start it in the sandbox. */
    static JsonObject rewrite(JsonObject original, WorkloadProcess workload) {
        JsonObject process = original.deepCopy();
        process.add("args", Json.arrayOf(ExecCommand.of(workload)));
        process.add("env", Json.arrayOf(environment(workload.command().env())));
        SandboxSpec.confine(process, NO_CAPABILITIES);
        return process;
    }

    /** The client's own, the same for all, and the process's under names that nothing in the sandbox goes by. */
    private static List<String> environment(List<String> env) {
        List<String> all = new ArrayList<>(MonitorCommand.ENVIRONMENT);
        for (String variable : env) {
            all.add(ExecCommand.VARIABLE + variable);
        }
        return all;
    }

    private static JsonObject read(ExecRequest.Source source, JsonObject containerProcess) throws DkvmException {
        if (source instanceof ExecRequest.ProcessFile file) {
            return Json.readObject(file.path());
        }
        return ArgumentProcess.of((ExecRequest.Arguments) source, containerProcess);
    }

    private static Optional<Path> save(ExecRequest.Source source, Path bundle, JsonObject process)
            throws DkvmException {
        if (source instanceof ExecRequest.ProcessFile file) {
            AtomicFile.replace(file.path(), Json.write(process));
            return Optional.empty();
        }
        try {
            // It goes with the bundle: nobody tells when runc has read it.
            Path file = Files.createTempFile(bundle, "dkvm-exec-", ".json");
            AtomicFile.replace(file, Json.write(process));
            return Optional.of(file);
        } catch (IOException e) {
            throw new DkvmException("can not write into \"" + bundle + "\": " + e, "", e);
        }
    }
}
