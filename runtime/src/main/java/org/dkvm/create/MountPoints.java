// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.bundle.mounts.MountPlan;
import org.dkvm.core.DkvmException;
import org.dkvm.linux.Program;

/**
 * Mount points that an image lacks, made on the host before its root is shared read-only: what the guest can not write to it can not make anything in. Any other root's are
 * made by the guest.
 */
final class MountPoints {
    private static final Duration LIMIT = Duration.ofSeconds(30);

    private final String program;

    /** Where {@code dkvm-rooted} is. */
    MountPoints(String program) {
        this.program = program;
    }

    /** Makes them below a root, whatever links are there. */
    void make(Path root, List<MountPlan.MountPoint> points) throws DkvmException {
        if (points.isEmpty()) {
            return;
        }
        Program.Result result = Program.run(command(root, points), LIMIT);
        if (result.code() != 0) {
            throw new DkvmException(result.output(), "");
        }
    }

    List<String> command(Path root, List<MountPlan.MountPoint> points) {
        List<String> command = new ArrayList<>(List.of(program, "make", root.toString()));
        for (MountPlan.MountPoint point : points) {
            command.add(point.directory() ? "directory" : "file");
            command.add(point.path());
        }
        return command;
    }
}
