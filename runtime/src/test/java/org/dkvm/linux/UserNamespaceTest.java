// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.dkvm.core.DkvmException;
import org.junit.jupiter.api.Test;

class UserNamespaceTest {
    private static final String WHOLE = "         0          0 4294967295\n";
    private static final String PODMANS = "         0       1001          1\n         1     100000      65536\n";

    private static UserNamespace namespace(String users, String groups) {
        return new UserNamespace(UserNamespace.parse(users), UserNamespace.parse(groups));
    }

    @Test
    void allIdsAreTheHostsOnly() {
        assertThat(namespace(WHOLE, WHOLE)).isEqualTo(UserNamespace.host());
        assertThat(UserNamespace.host().isHosts()).isTrue();
        assertThat(namespace(PODMANS, PODMANS).isHosts()).isFalse();
        assertThat(namespace("0 0 4294967294", WHOLE).isHosts()).isFalse();
    }

    @Test
    void spareIdsAreBelowTheEndAndNotNobodys() throws DkvmException {
        assertThat(namespace(PODMANS, PODMANS).spare(3)).isEqualTo(65537 - 256).isLessThan(65534);
    }

    @Test
    void aUserWithoutSubordinateIdsIsToldHowToGetSome() {
        assertThatThrownBy(() -> namespace("0 1001 1", "0 1001 1").spare(3))
                .hasMessageContaining("1 user ids")
                .isInstanceOfSatisfying(
                        DkvmException.class, e -> assertThat(e.advice()).contains("--add-subuids"));
    }

    @Test
    void anIdHasToBeBothAUsersAndAGroups() {
        assertThatThrownBy(() -> namespace(PODMANS, "0 1001 1\n1 100000 1000\n").spare(3))
                .isInstanceOf(DkvmException.class);
        assertThatThrownBy(() -> namespace("0 1001 1\n1 100000 65000\n70000 200000 100\n", PODMANS)
                        .spare(3))
                .isInstanceOf(DkvmException.class);
    }
}
