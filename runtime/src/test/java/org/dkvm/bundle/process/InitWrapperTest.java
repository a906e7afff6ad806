// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import java.util.List;
import org.dkvm.core.DkvmException;
import org.dkvm.json.Json;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InitWrapperTest {
    private static List<JsonObject> mounted(String destination, String source) throws DkvmException {
        return List.of(
                Json.parseObject("{\"destination\":\"" + destination + "\",\"source\":\"" + source + "\"}", "mount"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/sbin/docker-init", "/dev/init", "/run/podman-init"})
    void anEnginesInitIsTakenAway(String init) throws DkvmException {
        assertThat(InitWrapper.of(List.of(init, "--", "a", "-b"), mounted(init, "/usr/bin/tini")))
                .isEqualTo(new InitWrapper(true, List.of("a", "-b"), init));
    }

    @Test
    void itsOptionsGoWithIt() throws DkvmException {
        assertThat(InitWrapper.of(
                                List.of("/x/init", "-g", "-s", "--", "--", "a"),
                                mounted("/x/init", "/usr/bin/catatonit"))
                        .args())
                .containsExactly("--", "a");
    }

    @Test
    void anImagesOwnInitStays() throws DkvmException {
        List<String> args = List.of("/sbin/docker-init", "--", "a");
        assertThat(InitWrapper.of(args, mounted("/elsewhere", "/usr/bin/tini")))
                .isEqualTo(new InitWrapper(false, args, ""));
    }

    @Test
    void anInitWithNothingToRunIsTheWorkload() throws DkvmException {
        assertThat(InitWrapper.of(List.of("/dev/init", "--"), mounted("/dev/init", "/tini"))
                        .present())
                .isFalse();
    }
}
