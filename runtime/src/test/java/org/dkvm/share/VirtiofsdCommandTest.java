// SPDX-License-Identifier: Apache-2.0
package org.dkvm.share;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.dkvm.core.Architecture;
import org.junit.jupiter.api.Test;

class VirtiofsdCommandTest {
    @Test
    void commandIsGolden() {
        assertThat(VirtiofsdCommand.argv(Path.of("/vm"), Path.of("/run/dkvm/share.sock"), Architecture.AMD64, false))
                .containsExactly(
                        "/usr/libexec/virtiofsd",
                        "--shared-dir=/vm",
                        "--socket-path=/run/dkvm/share.sock",
                        "--sandbox=none",
                        "--cache=auto",
                        "--announce-submounts",
                        "--posix-acl",
                        "--xattrmap=:prefix:all:trusted.:user.virtiofs.::ok:all:::",
                        "--rlimit-nofile=0",
                        "--log-level=error",
                        "--allow-direct-io");
    }

    @Test
    void aForeignGuestsFlagsMeanSomethingElse() {
        assertThat(VirtiofsdCommand.argv(Path.of("/vm"), Path.of("/s"), Architecture.ARM64, false))
                .doesNotContain("--allow-direct-io");
    }

    @Test
    void withTheCapabilityAttributesNeedNoOtherNames() {
        assertThat(VirtiofsdCommand.argv(Path.of("/vm"), Path.of("/s"), Architecture.AMD64, true))
                .contains("--modcaps=+sys_admin")
                .noneMatch(argument -> argument.startsWith("--xattrmap"));
    }
}
