// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.host;

import com.google.gson.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.json.Json;
import org.dkvm.linux.HostFiles;
import org.dkvm.linux.ProcessStart;

/**
 * What runc and crun remember of a container.
 *
 * @param bundle the bundle's directory
 * @param rootfs the root filesystem that it was started with: the sandbox of a version of DKVM; empty when the state does not tell
 */
public record ContainerState(Path bundle, String rootfs) {
    private static final String BUNDLE_LABEL = "bundle=";
    private static final String LAUNCHER = "scripts/dkvm-runtime";

    /**
     * The state; empty when there is none that tells the bundle, which runc itself will complain about.
     *
     * @param directory the container's directory below {@code --root}
     */
    public static Optional<ContainerState> of(Path directory) throws DkvmException {
        Path runc = directory.resolve("state.json");
        if (Files.exists(runc)) {
            JsonObject config = Json.objectOrNew(Json.readObject(runc), "config");
            for (String label : Json.strings(config, "labels")) {
                if (label.startsWith(BUNDLE_LABEL)) {
                    return Optional.of(new ContainerState(
                            Path.of(label.substring(BUNDLE_LABEL.length())),
                            Json.string(config, "rootfs").orElse("")));
                }
            }
            return Optional.empty();
        }
        Path crun = directory.resolve("status");
        if (Files.exists(crun)) {
            JsonObject status = Json.readObject(crun);
            Optional<String> bundle = Json.string(status, "bundle");
            return bundle.isPresent()
                    ? Optional.of(new ContainerState(
                            Path.of(bundle.get()), Json.string(status, "rootfs").orElse("")))
                    : Optional.empty();
        }
        return Optional.empty();
    }

    /**
     * Whether the container's first process lives. A container is left behind when it and its engine are killed, and no engine comes back that would delete it.
     *
     * @param directory the container's directory below {@code --root}
     */
    public static boolean isAlive(Path directory) throws DkvmException {
        return firstProcess(directory).isPresent();
    }

    /** The pid of the container's first process, where that lives. */
    public static Optional<Long> firstProcess(Path directory) throws DkvmException {
        Path runc = directory.resolve("state.json");
        if (Files.exists(runc)) {
            return living(Json.readObject(runc), "init_process_pid", "init_process_start");
        }
        Path crun = directory.resolve("status");
        return Files.exists(crun) ? living(Json.readObject(crun), "pid", "process-start-time") : Optional.empty();
    }

    private static Optional<Long> living(JsonObject state, String pid, String start) {
        Optional<Long> number = Json.number(state, pid);
        long began = Json.number(state, start).orElse(0L);
        return number.filter(known -> ProcessStart.lives(known, began));
    }

    /** Whether it was started with this version of DKVM, as far as the state tells. */
    public boolean isOf(PackageLayout own) {
        String sandbox = own.sandbox().toString();
        return rootfs.isEmpty() || rootfs.equals(sandbox) || HostFiles.isSame(rootfs, sandbox);
    }

    /**
     * The launcher of the version of DKVM that the container was started with, where that is installed and another one: its monitor and its client understand each other, and not
     * necessarily what a later version asks for.
     */
    public Optional<Path> otherLauncher(PackageLayout own) {
        Path sandbox = own.sandbox();
        if (rootfs.isEmpty() || rootfs.equals(sandbox.toString())) {
            return Optional.empty();
        }
        Path launcher = Path.of(rootfs).resolveSibling(LAUNCHER);
        return Files.isExecutable(launcher) && !HostFiles.isSame(rootfs, sandbox.toString())
                ? Optional.of(launcher)
                : Optional.empty();
    }
}
