// SPDX-License-Identifier: Apache-2.0
package org.dkvm.exec;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.dkvm.bundle.host.ContainerState;
import org.dkvm.bundle.host.HostView;
import org.dkvm.bundle.host.RealHost;
import org.dkvm.bundle.mounts.MountPlan;
import org.dkvm.bundle.options.Options;
import org.dkvm.bundle.process.CapabilityNames;
import org.dkvm.bundle.process.EngineDefaults;
import org.dkvm.bundle.process.ExecutableCheck;
import org.dkvm.bundle.process.Workload;
import org.dkvm.bundle.sandbox.MonitorCommand;
import org.dkvm.bundle.sandbox.SandboxSpec;
import org.dkvm.bundle.spec.DeviceRequests;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.core.RuncMessages;
import org.dkvm.core.container.WorkloadProcess;
import org.dkvm.core.machine.Disk;
import org.dkvm.json.Json;
import org.dkvm.linux.ProcessLimits;
import org.dkvm.linux.RootedFiles;
import org.dkvm.linux.RootedReader;
import org.dkvm.linux.UserNamespace;

/** Makes a process that runc would start in the container one that asks for it in the guest. */
public final class Exec {
    /** The client in the sandbox only talks to the monitor. */
    private static final long NO_CAPABILITIES = 0;

    /** The pipe by which runc lets {@code start} go on: there from its {@code create} until then; crun has it, too. */
    private static final String START = "exec.fifo";

    private Exec() {}

    /** What is to be done. */
    public sealed interface Result permits Untouched, OtherVersion, Rewritten {}

    /** It is no VM: runc's arguments stay as they are. */
    public record Untouched() implements Result {}

    /** The VM is of another version, whose launcher has to do it. */
    public record OtherVersion(Path launcher) implements Result {}

    /** The process to give runc. */
    public record Rewritten(JsonObject process) implements Result {}

    /**
     * Rewrites the process; files are left as they are.
     *
     * @param warn takes what the user should know although all is well
     */
    public static Result run(ExecRequest request, PackageLayout own, Consumer<String> warn) throws DkvmException {
        Optional<ContainerState> state = ContainerState.of(request.state());
        if (state.isEmpty() || !Files.exists(state.get().bundle().resolve(SandboxSpec.PLAN_FILE))) {
            return new Untouched();
        }
        Optional<Path> other = state.get().otherLauncher(own);
        if (other.isPresent()) {
            return new OtherVersion(other.get());
        }
        if (Files.exists(request.state().resolve(START))) {
            throw new DkvmException(
                    "cannot exec in a container that has not been started: \"" + request.id() + "\"", "start it first");
        }
        try (RootedFiles files = new RootedFiles(own.program("dkvm-rooted").toString())) {
            return rewrite(request, state.get().bundle(), files, warn);
        }
    }

    private static Result rewrite(ExecRequest request, Path bundle, RootedReader files, Consumer<String> warn)
            throws DkvmException {
        JsonObject spec = Json.readObject(bundle.resolve(SandboxSpec.ORIGINAL_FILE));
        JsonObject containerProcess = Json.objectOrNew(spec, "process");
        JsonObject process = read(request.source(), containerProcess);
        if (!process.has("capabilities") && containerProcess.has("capabilities")) {
            process.add("capabilities", containerProcess.get("capabilities").deepCopy());
        }
        CapabilityNames.warnOfUnknown(process, warn);
        WorkloadProcess workload =
                Workload.of(process, Json.strings(process, "args"), EngineDefaults.of(spec), ProcessLimits.own());
        HostView host = new RealHost(files, UserNamespace.own());
        DeviceRequests.dropMounted(spec, host);
        MountPlan mounts = MountPlan.of(spec, bundle, "", List.of(), host);
        for (Disk disk : Options.disks(Json.strings(containerProcess, "env"))) {
            // Not as create does it: the workload may have changed its root since, and its disks are mounted.
            mounts.tree().addHidden(mounts.tree().find(disk.target()).path());
        }
        ExecutableCheck.check(workload, mounts.tree(), RuncMessages.Action.EXEC, true);
        return new Rewritten(rewrite(process, workload, member(bundle)));
    }

    /** Of a pod's further container, its number in the VM; 0 of any other. */
    private static int member(Path bundle) throws DkvmException {
        Path file = bundle.resolve(SandboxSpec.MEMBER_FILE);
        if (!Files.exists(file)) {
            return 0;
        }
        try {
            return Integer.parseInt(Files.readString(file));
        } catch (IOException | NumberFormatException e) {
            throw new DkvmException("\"" + file + "\" does not tell which container it is: " + e, "", e);
        }
    }

    /**
     * The process as runc is to start it in the sandbox.
     *
     * @param member the number of a pod's further container in the VM; 0: it is none
     */
    static JsonObject rewrite(JsonObject original, WorkloadProcess workload, int member) {
        JsonObject process = original.deepCopy();
        process.add("args", Json.arrayOf(ExecCommand.of(workload, member)));
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
}
