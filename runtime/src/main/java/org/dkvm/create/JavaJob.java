// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.core.SandboxPaths;

/** One of {@code dkvm}'s own commands as a {@link Job}. */
public final class JavaJob {
    private static final String HOME = Job.PLACE + "/home";
    private static final int MOST_OUTPUT = 64 * 1024;
    private static final int MOST_LINE = 4096;
    private static final int SIGNALLED = 128;
    private static final String FAILED = "failed: ";
    private static final String ADVICE = "advice: ";
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private JavaJob() {}

    /** The job of a command, which finds the package below {@link Job#PLACE}. */
    static Job of(PackageLayout layout, List<Job.Mount> mounts, Job.Limits limits, String... words) {
        return of(layout, mounts, limits, Job.Rights.ALL_FILES, false, words);
    }

    static Job of(
            PackageLayout layout,
            List<Job.Mount> mounts,
            Job.Limits limits,
            Job.Rights rights,
            boolean kvm,
            String... words) {
        String lib = SandboxPaths.PACKAGE + "/lib/";
        List<String> argv = new ArrayList<>(List.of(
                SandboxPaths.PACKAGE + "/jre/bin/java",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-XX:-UsePerfData",
                "-Xmx160m",
                "--sun-misc-unsafe-memory-access=allow",
                "-Ddkvm.home=" + HOME,
                "-cp",
                lib + "dkvm.jar:" + lib + "gson.jar:" + lib + "picocli.jar:" + HOME + "/lib/*",
                "org.dkvm.cli.Main"));
        argv.addAll(List.of(words));
        List<Job.Mount> all = new ArrayList<>(mounts);
        all.add(new Job.Mount(layout.home().resolve("lib"), HOME + "/lib", false));
        all.add(new Job.Mount(layout.home().resolve("guest"), HOME + "/guest", false));
        return new Job(argv, Job.Programs.SANDBOX, all, limits, rights, kvm);
    }

    /** What a command in a job says on its standard error when it fails as was to be expected. */
    public static String said(DkvmException e) {
        return FAILED + oneLine(String.valueOf(e.getMessage())) + "\n" + ADVICE + oneLine(e.advice()) + "\n";
    }

    /** Runs it to its end, and fails as it fails. */
    static void run(Jobs jobs, Job job) throws DkvmException {
        run(jobs, job, line -> {});
    }

    /**
     * As {@link #run(Jobs, Job)}.
     *
     * @param progress told each line of its standard output
     */
    static void run(Jobs jobs, Job job, Consumer<String> progress) throws DkvmException {
        Duration limit = job.limits().time();
        AtomicBoolean late = new AtomicBoolean();
        try (Jobs.Running running = jobs.start(job)) {
            Process process = running.process();
            AtomicReference<String> complaints = new AtomicReference<>("");
            Thread listener = Thread.ofVirtual().start(() -> collect(process, complaints));
            Thread killer = Thread.ofVirtual().start(() -> endAfter(running, limit, late));
            process.getOutputStream().close();
            listen(process.getInputStream(), progress);
            int code = process.waitFor();
            killer.interrupt();
            listener.join(PATIENCE);
            if (late.get()) {
                throw new DkvmException("it takes longer than " + limit.toSeconds() + " s", "");
            }
            if (code != 0) {
                throw failure(code, complaints.get());
            }
        } catch (IOException e) {
            throw new DkvmException("its sandbox can not be read from: " + e.getMessage(), "", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DkvmException("interrupted", "", e);
        }
    }

    private static DkvmException failure(int code, String complaints) {
        String why = "";
        String advice = "";
        String last = "";
        for (String line : complaints.lines().toList()) {
            if (line.startsWith(FAILED)) {
                why = line.substring(FAILED.length());
            } else if (line.startsWith(ADVICE)) {
                advice = line.substring(ADVICE.length());
            } else if (!line.isBlank()) {
                last = line;
            }
        }
        if (why.isEmpty()) {
            // A signal of the kernel's: it wanted more memory or time than it may have.
            why = code > SIGNALLED ? "it takes more memory or time than it may" : "it ended with " + code + ": " + last;
        }
        return new DkvmException(why, advice);
    }

    /** Passes lines on; what is longer than any of ours is cut. */
    private static void listen(InputStream stream, Consumer<String> progress) throws IOException {
        StringBuilder line = new StringBuilder();
        byte[] buffer = new byte[MOST_LINE];
        for (int count = stream.read(buffer); count >= 0; count = stream.read(buffer)) {
            for (char one : new String(buffer, 0, count, StandardCharsets.UTF_8).toCharArray()) {
                if (one == '\n') {
                    progress.accept(line.toString());
                    line.setLength(0);
                } else if (line.length() < MOST_LINE) {
                    line.append(one >= ' ' ? one : '?');
                }
            }
        }
    }

    private static String oneLine(String text) {
        return text.replace('\n', ' ');
    }

    private static void collect(Process process, AtomicReference<String> complaints) {
        try (InputStream errors = process.getErrorStream()) {
            complaints.set(new String(errors.readNBytes(MOST_OUTPUT), StandardCharsets.UTF_8));
            // More is not kept, and must not keep it from going on.
            errors.transferTo(OutputStream.nullOutputStream());
        } catch (IOException e) {
            complaints.compareAndSet("", String.valueOf(e.getMessage()));
        }
    }

    private static void endAfter(Jobs.Running running, Duration limit, AtomicBoolean late) {
        try {
            if (!running.process().waitFor(limit)) {
                late.set(true);
                running.end();
            }
        } catch (InterruptedException e) {
            // It ended by itself.
            Thread.currentThread().interrupt();
        }
    }
}
