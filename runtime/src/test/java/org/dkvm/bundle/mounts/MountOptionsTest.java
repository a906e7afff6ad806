// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.mounts;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class MountOptionsTest {
    @Test
    void flagsAndDataAreTakenApart() {
        assertThat(MountOptions.parse(List.of("nosuid", "nodev", "noexec", "size=64k", "mode=1777", "tmpcopyup")))
                .isEqualTo(new MountOptions(2 | 4 | 8, "size=64k,mode=1777,tmpcopyup"));
    }

    @Test
    void aLaterOptionWins() {
        assertThat(MountOptions.parse(List.of("noexec", "exec", "rw", "ro"))).isEqualTo(new MountOptions(1, ""));
    }

    @Test
    void propagationAndBindMeanNothingInTheGuest() {
        assertThat(MountOptions.parse(List.of("rbind", "bind", "rprivate", "rshared", "rslave", "defaults")))
                .isEqualTo(new MountOptions(0, ""));
    }

    @Test
    void recursivelyReadOnlyIsReadOnly() {
        assertThat(MountOptions.parse(List.of("rbind", "rro", "rnodev"))).isEqualTo(new MountOptions(1 | 4, ""));
    }

    @Test
    void timesAreFlags() {
        assertThat(MountOptions.parse(List.of("strictatime", "noatime", "nodiratime", "relatime", "lazytime"))
                        .flags())
                .isEqualTo(1L << 24 | 1L << 10 | 1L << 11 | 1L << 21 | 1L << 25);
    }
}
