// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import org.dkvm.bundle.mounts.MountPlan;
import org.dkvm.core.DkvmException;
import org.junit.jupiter.api.Test;

class MountPointsTest {
    private static final Path ROOT = Path.of("/rootfs");
    private final MountPoints points = new MountPoints("/nowhere/dkvm-rooted");

    @Test
    void theCommandNamesEachPointAndItsKind() {
        assertThat(String.join(
                        "|",
                        points.command(
                                ROOT,
                                List.of(
                                        new MountPlan.MountPoint("/a b", true),
                                        new MountPlan.MountPoint("/etc/f", false)))))
                .isEqualTo("/nowhere/dkvm-rooted|make|/rootfs|directory|/a b|file|/etc/f");
    }

    @Test
    void nothingIsStartedForNothing() throws DkvmException {
        points.make(ROOT, List.of());
        assertThatThrownBy(() -> points.make(ROOT, List.of(new MountPlan.MountPoint("/a", true))))
                .isInstanceOf(DkvmException.class);
    }
}
