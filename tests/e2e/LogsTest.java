// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.TOOLS;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code docker logs} has all that the workload wrote, whoever looks and whenever. */
@EndToEnd
class LogsTest {
    @ParameterizedTest
    @ValueSource(strings = {"json-file", "local"})
    void bothStreamsAreLoggedWhole(String driver) throws Exception {
        Transcript seen = assertSame(docker -> {
            Container container = docker.start(
                    "--log-driver", driver, BUSYBOX, "sh", "-c", "seq 1 20000; seq 1 10000 >&2; printf end");
            container.finish();
        });
        assertThat(seen.first().stdout().utf8()).endsWith("20000\nend");
    }

    @Test
    void aVeryLongLineIsLoggedWhole() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(TOOLS, "python3", "-c", "print('0123456789' * 20000); print('next')");
            container.finish();
        });
    }

    @Test
    void theTailIsTheLastLines() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(BUSYBOX, "seq", "1", "500");
            container.awaitEnd();
            docker.cli("logs", "--tail", "3", container.name());
            docker.cli("logs", "--tail", "0", container.name());
        });
    }

    @Test
    void followingEndsWithTheWorkload() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(
                    BUSYBOX, "sh", "-c", "echo first; until [ -e /go ]; do sleep 0.1; done; echo last; echo error >&2");
            Running follower = docker.openCli("logs", "-f", container.name());
            follower.awaitStdout("first");
            // It may be ended by the end that it brings about.
            docker.attempt("exec", container.name(), "touch", "/go");
            docker.note("followed", follower.finish());
        });
    }

    @Test
    void withoutLogDriverNothingIsKeptAndAllIsAttached() throws Exception {
        assertSame(docker -> docker.run("--log-driver", "none", BUSYBOX, "sh", "-c", "echo out; echo err >&2"));
    }

    @Test
    void aFailingStartLeavesAContainerInStateCreated() throws Exception {
        assertSame(docker -> {
            Container container = docker.create(BUSYBOX, "no-such-command");
            docker.fails().cli("start", container.name());
            docker.note("state", container.inspect("{{.State.Status}} {{.State.ExitCode}}"));
        });
    }

    @Test
    void binaryOutputIsLogged() throws Exception {
        assertSame(docker -> {
            Container container =
                    docker.start(TOOLS, "python3", "-c", "import sys; sys.stdout.buffer.write(bytes(range(256)) * 3)");
            container.finish();
        });
    }
}
