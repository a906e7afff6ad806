// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What a VM's memory costs the host. */
@EndToEnd
class MemoryTest {
    private static final int FILLED_MIB = 400;
    private static final Pattern USAGE = Pattern.compile("([0-9.]+)(KiB|MiB|GiB) /.*");

    @Test
    void whatTheGuestFreesTheHostHasAgain() throws Exception {
        onVm(docker -> {
            Container container =
                    docker.start("--memory", "768m", "--tmpfs", "/t:size=600m", BUSYBOX, "sleep", "100000");
            container.exec("true");
            double idle = used(docker, container);
            container.exec("dd", "if=/dev/zero", "of=/t/f", "bs=1M", "count=" + FILLED_MIB);
            double filled = used(docker, container);
            // A restored VM has touched pages of its template that it does not need.
            assertThat(filled - idle).isGreaterThan(FILLED_MIB * 0.9);
            container.exec("rm", "/t/f");
            Deadline.await("most of it is the host's", () -> used(docker, container) < idle + FILLED_MIB / 4.0);
        });
    }

    /** As docker stats has it, in MiB. */
    private static double used(Docker docker, Container container) throws Exception {
        String text = docker.quietly("stats", "--no-stream", "--format", "{{.MemUsage}}", container.name());
        Matcher usage = USAGE.matcher(text);
        assertThat(usage.matches()).as(text).isTrue();
        double number = Double.parseDouble(usage.group(1));
        return switch (usage.group(2)) {
            case "KiB" -> number / 1024;
            case "MiB" -> number;
            default -> number * 1024;
        };
    }
}
