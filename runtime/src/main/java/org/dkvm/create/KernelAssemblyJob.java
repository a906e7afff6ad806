// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.kernel.KernelAssembly;
import org.dkvm.kernel.KernelName;
import org.dkvm.kernel.KernelStore;

/** Has a kernel made of packages or a directory by {@code dkvm kernel assemble}, in a sandbox that sees these, and writes to one directory. */
public final class KernelAssemblyJob {
    /** The largest file of a package may have 512 MiB; libraries want memory for dictionaries. */
    private static final Job.Limits LIMITS =
            new Job.Limits(Duration.ofMinutes(10), MemorySize.ofMib(1024), MemorySize.ofMib(640));

    private static final String SOURCE = Job.PLACE + "/source";
    private static final String OUT = Job.PLACE + "/out";

    private KernelAssemblyJob() {}

    /**
     * Makes the kernel.
     *
     * @param work an empty directory to make it in
     * @param sources packages that together have one kernel, or one directory
     * @param progress told what is being done
     */
    public static KernelStore.Found make(
            Jobs jobs, KernelName name, List<Path> sources, Path work, Consumer<String> progress) throws DkvmException {
        List<Job.Mount> mounts = new ArrayList<>();
        List<String> words = new ArrayList<>(List.of("kernel", "assemble", name.toString(), OUT));
        for (Path source : sources) {
            if (!Files.isRegularFile(source) && !Files.isDirectory(source)) {
                throw new DkvmException("\"" + source + "\" is no package and no directory", "");
            }
            String place = SOURCE + "/" + mounts.size();
            mounts.add(new Job.Mount(source.toAbsolutePath(), place, false));
            words.add(place);
        }
        mounts.add(new Job.Mount(work, OUT, true));
        Job job = JavaJob.of(jobs.version(), mounts, LIMITS, words.toArray(new String[0]));
        try {
            JavaJob.run(jobs, job, line -> progress.accept(onHost(line, sources)));
        } catch (DkvmException e) {
            throw new DkvmException(onHost(String.valueOf(e.getMessage()), sources), onHost(e.advice(), sources), e);
        }
        return KernelAssembly.made(name, work, new DepmodJob(jobs), progress);
    }

    /** A text of the sandbox's with the paths that the user gave. */
    private static String onHost(String text, List<Path> sources) {
        String told = text;
        for (int i = sources.size() - 1; i >= 0; i--) {
            told = told.replace(SOURCE + "/" + i, sources.get(i).toString());
        }
        return told;
    }
}
