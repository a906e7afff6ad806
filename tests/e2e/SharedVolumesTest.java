// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** A volume that several VMs may write to: the host's setting is changed, for every container, so nothing else runs meanwhile. */
@EndToEnd
@Isolated
class SharedVolumesTest {
    private static final Path CONFIG = Path.of("/etc/dkvm/dkvm.json");

    @Test
    void aSecondWriterIsWarnedOfOrRefused() throws Exception {
        onVm(docker -> {
            String volume = docker.volume();
            String shared = "/volumes/" + volume + "/_data\" may be written to by this VM and by \"";
            Container one = docker.start("-v", volume + ":/v", BUSYBOX, "sleep", "1000");
            Container two = docker.start("-v", volume + ":/v", BUSYBOX, "sleep", "1000");
            assertThat(engineLog(two).replace("\\\"", "\""))
                    .contains(shared + one.name())
                    .contains("such as SQLite with WAL");
            docker.quietly("rm", "-f", two.name());
            String before = Files.exists(CONFIG) ? Files.readString(CONFIG) : "";
            try {
                JsonObject config = before.isEmpty()
                        ? new JsonObject()
                        : JsonParser.parseString(before).getAsJsonObject();
                config.addProperty("shared-volumes", "refuse");
                Files.writeString(CONFIG, config.toString());
                Outcome refused = docker.attempt(
                        "run", "--rm", "--runtime=dkvm", "-v", volume + ":/w", BUSYBOX, "touch", "/w/written");
                assertThat(refused.exitCode()).as(refused.toString()).isEqualTo(125);
                assertThat(refused.errors().replace("\\\"", "\""))
                        .contains(shared + one.name())
                        .contains("mount it read-only, or use a disk (DKVM_DISKS)");
                assertThat(docker.run("-v", volume + ":/r:ro", BUSYBOX, "ls", "-A", "/r")
                                .text())
                        .isEmpty();
            } finally {
                if (before.isEmpty()) {
                    Files.deleteIfExists(CONFIG);
                } else {
                    Files.writeString(CONFIG, before);
                }
            }
        });
    }

    /** What the runtime wrote to the file that containerd names. */
    private static String engineLog(Container container) throws Exception {
        return Host.run("sh", "-c", "cat $(find /run -path '*/" + container.id() + "/log.json')");
    }
}
