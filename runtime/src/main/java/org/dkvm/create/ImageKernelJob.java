// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.core.PackageLayout;
import org.dkvm.kernel.ImageKernelCache;
import org.dkvm.kernel.ImageKernelFiles;

/** Has an image's kernel made ready by {@code dkvm kernel of-image}, in a sandbox that sees the image, and can write nothing but the files that are wanted. */
final class ImageKernelJob implements ImageKernelCache.Maker {
    /** The kernel may have 64 MiB, the modules 192 MiB before they are packed, beside the agent; see {@code Bounds}. */
    private static final Job.Limits LIMITS =
            new Job.Limits(Duration.ofSeconds(90), MemorySize.ofMib(640), MemorySize.ofMib(208));

    private static final String IMAGE = Job.PLACE + "/image";
    private static final String OUT = Job.PLACE + "/out";

    private final Jobs jobs;

    ImageKernelJob(Jobs jobs) {
        this.jobs = jobs;
    }

    @Override
    public void make(Path root, String kernel, String modules, Path out) throws DkvmException {
        try {
            JavaJob.run(jobs, job(jobs.version(), root, kernel, modules, out));
        } catch (DkvmException e) {
            // A path of the sandbox is one of the image's.
            throw new DkvmException(String.valueOf(e.getMessage()).replace(IMAGE + "/", "/"), e.advice(), e);
        }
    }

    private static Job job(PackageLayout layout, Path root, String kernel, String modules, Path out)
            throws DkvmException {
        List<Job.Mount> mounts = new ArrayList<>();
        mounts.add(new Job.Mount(root, IMAGE, false));
        for (String name : ImageKernelFiles.NAMES) {
            Path file = out.resolve(name);
            try {
                Files.createFile(file);
            } catch (IOException e) {
                throw new DkvmException("can not make \"" + file + "\": " + e, "", e);
            }
            mounts.add(new Job.Mount(file, OUT + "/" + name, true));
        }
        return JavaJob.of(layout, mounts, LIMITS, "kernel", "of-image", IMAGE + kernel, IMAGE + modules, "/tmp", OUT);
    }
}
