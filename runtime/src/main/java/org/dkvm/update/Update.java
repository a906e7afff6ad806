// SPDX-License-Identifier: Apache-2.0
package org.dkvm.update;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.dkvm.bundle.host.ContainerState;
import org.dkvm.bundle.options.HostConfig;
import org.dkvm.bundle.plan.SandboxPlan;
import org.dkvm.bundle.plan.SandboxPlanJson;
import org.dkvm.bundle.sandbox.SandboxResources;
import org.dkvm.bundle.sandbox.SandboxSpec;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.core.PackageLayout;
import org.dkvm.core.SandboxPaths;
import org.dkvm.core.machine.Growth;
import org.dkvm.core.machine.MachineShape;
import org.dkvm.core.machine.MachineSize;
import org.dkvm.json.Json;
import org.dkvm.linux.AtomicFile;
import org.dkvm.linux.HostProcessors;
import org.dkvm.linux.Program;

/**
 * Gives a running container other limits: first the VM its size, by its monitor, and then the sandbox around it, by runc. Where either fails, all is as it was.
 */
public final class Update {
    /** What the launcher is told of an update that is done. */
    public static final String DONE = "updated";

    /** Beside the spec; the next update writes over it, and it goes with the bundle. */
    static final String RESOURCES_FILE = "dkvm-resources.json";
    /** The limits that hold since the last update, likewise. */
    static final String LIMITS_FILE = "dkvm-limits.json";

    private static final String STDIN = "-";
    private static final int MAX_BYTES = 1024 * 1024;
    private static final String LATER = "stop the container, update it, and start it again";

    /** The runtime below. */
    public interface Runc {
        /** Runs a program in the container's sandbox. */
        Program.Result exec(List<String> command);

        /** Updates the sandbox's limits to those in a file. */
        Program.Result update(Path resources);
    }

    private final SandboxPlan plan;
    private final HostConfig config;
    private final Runc runc;
    private final Path bundle;

    private Update(SandboxPlan plan, HostConfig config, Runc runc, Path bundle) {
        this.plan = plan;
        this.config = config;
        this.runc = runc;
        this.bundle = bundle;
    }

    /**
     * Updates a container.
     *
     * @param state the container's directory below runc's {@code --root}
     * @param source the file with the engine's limits (OCI runtime spec, config-linux.md, "resources"); {@code -}: the input
     * @param input read only where the container is a VM
     * @param own this version; the launcher of another one is what is returned where the VM is that one's
     * @return {@link #DONE}; empty where the container is no VM, which is runc's
     */
    public static Optional<String> run(
            Path state, String source, InputStream input, HostConfig config, Runc runc, PackageLayout own)
            throws DkvmException {
        Optional<ContainerState> known = ContainerState.of(state);
        if (known.isEmpty() || !Files.exists(known.get().bundle().resolve(SandboxSpec.PLAN_FILE))) {
            return Optional.empty();
        }
        Optional<Path> other = known.get().otherLauncher(own);
        if (other.isPresent()) {
            return other.map(Path::toString);
        }
        Path bundle = known.get().bundle();
        if (Files.exists(bundle.resolve(SandboxSpec.MEMBER_FILE))) {
            JsonObject limits = STDIN.equals(source) ? read(input) : Json.readObject(Path.of(source));
            MemberUpdate.run(bundle, limits, runc);
            return Optional.of(DONE);
        }
        SandboxPlan plan = SandboxPlanJson.fromJson(Json.readObject(bundle.resolve(SandboxSpec.PLAN_FILE)));
        JsonObject resources = STDIN.equals(source) ? read(input) : Json.readObject(Path.of(source));
        new Update(plan, config, runc, bundle).run(resources);
        return Optional.of(DONE);
    }

    private void run(JsonObject resources) throws DkvmException {
        Limits before = limits();
        Limits wanted = before.with(resources, plan, config, HostProcessors.count());
        check(wanted);
        MachineShape shape = plan.vm().shape();
        // The sandbox has the overhead more; processes are counted in the guest.
        SandboxResources.addOverhead(
                resources, config.overhead(shape.processor().accelerator(), shape.display()));
        resources.remove("pids");
        Path file = bundle.resolve(RESOURCES_FILE);
        AtomicFile.replace(file, Json.write(resources));
        String change = wanted.changeFrom(before);
        String back = before.changeFrom(wanted);
        if (!change.isEmpty()) {
            done(inVm(change), back);
        }
        done(runc.update(file), back);
        AtomicFile.replace(bundle.resolve(LIMITS_FILE), Json.write(wanted.toJson()));
    }

    /** The limits that hold: those of the last update, else those that the container was started with. */
    private Limits limits() throws DkvmException {
        Path file = bundle.resolve(LIMITS_FILE);
        if (Files.exists(file)) {
            return Limits.fromJson(Json.readObject(file));
        }
        Path original = bundle.resolve(SandboxSpec.ORIGINAL_FILE);
        JsonObject spec = Files.exists(original) ? Json.readObject(original) : new JsonObject();
        JsonObject resources = Json.objectOrNew(Json.objectOrNew(spec, "linux"), "resources");
        JsonObject cpu = Json.object(resources, "cpu").orElseGet(JsonObject::new);
        MachineSize size = plan.vm().shape().size();
        return new Limits(size.memory(), size.cpus(), plan.container().cgroup().pidsLimit(), cpu);
    }

    /** What the VM can not become is said before anything is changed. */
    private void check(Limits wanted) throws DkvmException {
        Growth growth = plan.vm().shape().size().growth();
        MemorySize most = growth.memory();
        if (wanted.memory().compareTo(most) > 0) {
            throw new DkvmException(
                    "this VM can have " + most + " of memory while it runs, not " + wanted.memory(), LATER);
        }
        if (wanted.cpus() > growth.cpus()) {
            throw new DkvmException(
                    "this VM can have " + growth.cpus() + " processors while it runs, not " + wanted.cpus(), LATER);
        }
    }

    private Program.Result inVm(String change) {
        return runc.exec(List.of(SandboxPaths.PACKAGE + "/dkvm-exec", "--update", change));
    }

    private void done(Program.Result result, String back) throws DkvmException {
        if (result.code() != 0) {
            if (!back.isEmpty()) {
                inVm(back);
            }
            throw failure(result);
        }
    }

    /** What a failed program said, or that it failed. */
    static DkvmException failure(Program.Result result) {
        String output = result.output();
        return new DkvmException(output.isEmpty() ? "the update failed with code " + result.code() : output, "");
    }

    private static JsonObject read(InputStream input) throws DkvmException {
        try {
            byte[] bytes = input.readNBytes(MAX_BYTES + 1);
            if (bytes.length > MAX_BYTES) {
                throw new DkvmException("the new limits have more than " + MAX_BYTES + " bytes", "");
            }
            return Json.parseObject(new String(bytes, StandardCharsets.UTF_8), "standard input");
        } catch (IOException e) {
            throw new DkvmException("the new limits can not be read: " + e.getMessage(), "", e);
        }
    }
}
