// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class EngineDefaultsTest {
    private static final EngineDefaults DOCKER =
            new EngineDefaults(CapabilityNames.DOCKER_DEFAULT, CapabilityNames.ALL);

    private static long bits(String... names) {
        return CapabilityNames.mask(List.of(names));
    }

    @Test
    void theDefaultSetAndWhatIsAddedToItLackNothing() {
        assertThat(DOCKER.somethingWasDropped(CapabilityNames.DOCKER_DEFAULT)).isFalse();
        assertThat(DOCKER.somethingWasDropped(
                        CapabilityNames.DOCKER_DEFAULT | bits("CAP_NET_ADMIN", "CAP_SYS_ADMIN", "CAP_SYS_PTRACE")))
                .isFalse();
        assertThat(DOCKER.somethingWasDropped(CapabilityNames.ALL)).isFalse();
    }

    @Test
    void oneOfTheDefaultSetWasDropped() {
        assertThat(DOCKER.somethingWasDropped(CapabilityNames.DOCKER_DEFAULT & ~bits("CAP_CHOWN")))
                .isTrue();
        assertThat(DOCKER.somethingWasDropped(0)).isTrue();
    }

    @Test
    void oneOfAllWasDropped() {
        assertThat(DOCKER.somethingWasDropped(CapabilityNames.ALL & ~bits("CAP_NET_ADMIN")))
                .isTrue();
    }

    @Test
    void whatIsNewerThanTheEngineWasDroppedByNobody() {
        long old = bits("CAP_AUDIT_READ") * 2 - 1;
        assertThat(DOCKER.somethingWasDropped(old)).isFalse();
        assertThat(DOCKER.somethingWasDropped(old & ~bits("CAP_NET_ADMIN"))).isTrue();
    }

    @Test
    void whatTheEngineHasNotItselfWasDroppedByNobody() {
        long engine = CapabilityNames.ALL & ~bits("CAP_SYS_MODULE");
        EngineDefaults podman = new EngineDefaults(CapabilityNames.PODMAN_DEFAULT, engine);
        assertThat(podman.somethingWasDropped(engine)).isFalse();
        assertThat(podman.somethingWasDropped(engine & ~bits("CAP_NET_ADMIN"))).isTrue();
    }
}
