// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.json.Json;
import org.dkvm.linux.AtomicFile;
import org.dkvm.linux.OwnedDirectory;
import org.dkvm.linux.Program;
import org.dkvm.linux.StatePlaces;
import org.dkvm.linux.UserNamespace;

/** Starts {@link Job}s by runc, and leaves nothing of them: neither of those that end, nor of those whose starter was killed. */
public final class Jobs {
    private static final Path DIRECTORY = StatePlaces.run().resolve("jobs");
    private static final Path CGROUPS = Path.of("/sys/fs/cgroup");
    private static final String PREFIX = "dkvm-job-";
    private static final String SPEC = "config.json";
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final PackageLayout layout;
    private final String runc;
    private final Path directory;

    /**
     * @param runc the runtime that makes sandboxes, runc or crun
     */
    public Jobs(PackageLayout layout, String runc) {
        this(layout, runc, DIRECTORY);
    }

    Jobs(PackageLayout layout, String runc, Path directory) {
        this.layout = layout;
        this.runc = runc;
        this.directory = directory;
    }

    /** A job that runs. Its end removes all of it. */
    final class Running implements AutoCloseable {
        private final OwnedDirectory bundle;
        private final Process process;

        private Running(OwnedDirectory bundle, Process process) {
            this.bundle = bundle;
            this.process = process;
        }

        /** What runs it, with its standard streams. */
        Process process() {
            return process;
        }

        /** Ends it; its standard streams end with it. */
        void end() {
            remove(bundle.path());
            process.destroyForcibly();
        }

        @Override
        public void close() {
            end();
            try {
                process.waitFor(PATIENCE);
                bundle.close();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (IOException e) {
                // The next job removes what is left.
                return;
            }
        }
    }

    /** Ends and removes jobs whose starter is gone. */
    public void sweep() throws DkvmException {
        try {
            OwnedDirectory.sweep(directory, PREFIX, this::remove);
        } catch (IOException e) {
            throw new DkvmException("can not clean up in \"" + directory + "\": " + e, "", e);
        }
    }

    PackageLayout layout() {
        return layout;
    }

    /** The package by its real name: runc takes no root that is a link, and an upgrade may change it meanwhile. */
    PackageLayout version() {
        try {
            return new PackageLayout(
                    layout.sandbox().toRealPath().resolveSibling(".").normalize());
        } catch (IOException e) {
            // runc says what is wrong with it.
            return layout;
        }
    }

    /** Starts a job. */
    Running start(Job job) throws DkvmException {
        sweep();
        try {
            Files.createDirectories(directory);
            OwnedDirectory bundle = OwnedDirectory.make(directory, PREFIX);
            try {
                String id = id(bundle.path());
                AtomicFile.replacePrivate(bundle.path().resolve(SPEC), Json.write(spec(job, id)));
                List<String> command = runc("run", "--bundle", bundle.path().toString(), id);
                return new Running(bundle, new ProcessBuilder(command).start());
            } catch (IOException | DkvmException e) {
                bundle.close();
                throw e;
            }
        } catch (IOException e) {
            throw new DkvmException("can not start a sandbox: " + e.getMessage(), "\"dkvm check\" tells more", e);
        }
    }

    /** A user has no control group that a limit could be set in; the others hold. */
    private JsonObject spec(Job job, String id) throws DkvmException {
        UserNamespace users = UserNamespace.own();
        if (users.isHosts()) {
            return JobSpec.of(version(), job, id, groups(CGROUPS));
        }
        JsonObject spec = JobSpec.of(version(), job, id, List.of());
        Json.objectOrNew(spec, "linux").remove("cgroupsPath");
        if (job.rights() == Job.Rights.NOBODYS) {
            long nobody = users.spare(1);
            Json.objectOrNew(spec, "process").add("user", Json.objectOf("uid", nobody, "gid", nobody));
        }
        return spec;
    }

    private void remove(Path bundle) {
        Program.run(runc("delete", "--force", id(bundle)), PATIENCE);
    }

    private static String id(Path bundle) {
        return bundle.getFileName().toString();
    }

    private List<String> runc(String... arguments) {
        List<String> command = new ArrayList<>(
                List.of(runc, "--root", directory.resolve("runc").toString()));
        command.addAll(List.of(arguments));
        return command;
    }

    /** Which limits there are. See cgroups(7): a directory each in version 1, a list in version 2. */
    static List<String> groups(Path cgroups) {
        List<String> found = new ArrayList<>();
        String listed = " " + HostState.firstLine(cgroups.resolve("cgroup.controllers")) + " ";
        for (String name : List.of("memory", "pids", "cpu")) {
            if (listed.contains(" " + name + " ") || Files.isDirectory(cgroups.resolve(name))) {
                found.add(name);
            }
        }
        return found;
    }
}
