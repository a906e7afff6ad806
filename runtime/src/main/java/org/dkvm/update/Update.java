// SPDX-License-Identifier: Apache-2.0
package org.dkvm.update;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.dkvm.bundle.ContainerState;
import org.dkvm.bundle.HostConfig;
import org.dkvm.bundle.SandboxPlan;
import org.dkvm.bundle.SandboxPlanJson;
import org.dkvm.bundle.SandboxSpec;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.core.PackageLayout;
import org.dkvm.json.Json;
import org.dkvm.linux.AtomicFile;

/**
 * Makes new limits of a container the limits of its sandbox. What the VM was started with stays; all else, CPU time first of all, is the sandbox's.
 */
public final class Update {
    /** Beside the spec; the next update writes over it, and it goes with the bundle. */
    static final String RESOURCES_FILE = "dkvm-resources.json";

    private static final String STDIN = "-";
    private static final int MAX_BYTES = 1024 * 1024;
    private static final String ADVICE = "stop the container, update it, and start it again";

    private Update() {}

    /**
     * Writes the limits that the sandbox is to have.
     *
     * @param state the container's directory below runc's {@code --root}
     * @param source the file with the engine's limits (OCI runtime spec, config-linux.md, "resources"); {@code -}: the input
     * @param input read only where the container is a VM
     * @param own this version; the launcher of another one is what is returned where the VM is that one's
     * @return the file for runc; empty when runc's arguments stay as they are, as the container is no VM
     */
    public static Optional<Path> run(Path state, String source, InputStream input, HostConfig config, PackageLayout own)
            throws DkvmException {
        Optional<ContainerState> known = ContainerState.of(state);
        if (known.isEmpty() || !Files.exists(known.get().bundle().resolve(SandboxSpec.PLAN_FILE))) {
            return Optional.empty();
        }
        Optional<Path> other = known.get().otherLauncher(own);
        if (other.isPresent()) {
            return other;
        }
        Path bundle = known.get().bundle();
        SandboxPlan plan = SandboxPlanJson.fromJson(Json.readObject(bundle.resolve(SandboxSpec.PLAN_FILE)));
        JsonObject resources = STDIN.equals(source) ? read(input) : Json.readObject(Path.of(source));
        rewrite(resources, plan, config.overhead(plan.accelerator(), plan.display()));
        Path file = bundle.resolve(RESOURCES_FILE);
        AtomicFile.replace(file, Json.write(resources));
        return Optional.of(file);
    }

    static void rewrite(JsonObject resources, SandboxPlan plan, MemorySize overhead) throws DkvmException {
        Optional<JsonObject> memory = Json.object(resources, "memory");
        if (memory.isPresent()) {
            rewriteMemory(memory.get(), plan, overhead);
        }
        Optional<JsonObject> pids = Json.object(resources, "pids");
        if (pids.isPresent()) {
            long limit = Math.max(0, Json.number(pids.get(), "limit").orElse(0L));
            if (limit != plan.pidsLimit()) {
                throw new DkvmException("the limit of processes of a running VM can not be changed", ADVICE);
            }
            resources.remove("pids");
        }
    }

    private static void rewriteMemory(JsonObject memory, SandboxPlan plan, MemorySize overhead) throws DkvmException {
        long limit = Json.number(memory, "limit").orElse(0L);
        if (limit != 0) {
            if (limit < 0 || new MemorySize(limit).mib() != plan.memory().mib()) {
                throw new DkvmException(
                        "the memory of a running VM, " + plan.memory() + ", can not be changed", ADVICE);
            }
            memory.addProperty("limit", Math.addExact(limit, overhead.bytes()));
        }
        long swap = Json.number(memory, "swap").orElse(0L);
        if (swap > 0 && swap <= Long.MAX_VALUE - overhead.bytes()) {
            memory.addProperty("swap", swap + overhead.bytes());
        }
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
