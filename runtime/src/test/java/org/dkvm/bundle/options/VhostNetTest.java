// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.options;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.dkvm.core.DkvmException;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.core.machine.NetworkMode;
import org.dkvm.json.Json;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class VhostNetTest {
    @TempDir
    Path directory;

    private Path device;
    private Path none;

    @BeforeEach
    void makeADevice() throws IOException {
        device = Files.createFile(directory.resolve("vhost-net"));
        none = directory.resolve("none");
    }

    @Test
    void aSharedNetworkHasNoUseForIt() throws DkvmException {
        assertThat(VhostNet.AUTO.isUsed(Accelerator.KVM, NetworkMode.SHARED, device))
                .isFalse();
        assertThatThrownBy(() -> VhostNet.ON.isUsed(Accelerator.KVM, NetworkMode.SHARED, device))
                .hasMessageContaining("shared");
    }

    @Test
    void byItselfItIsUsedWithKvmWhereItIsThere() throws DkvmException {
        assertThat(VhostNet.AUTO.isUsed(Accelerator.KVM, NetworkMode.OWN, device))
                .isTrue();
        assertThat(VhostNet.AUTO.isUsed(Accelerator.KVM, NetworkMode.OWN, none)).isFalse();
        assertThat(VhostNet.AUTO.isUsed(Accelerator.TCG, NetworkMode.OWN, device))
                .isFalse();
    }

    @Test
    void aNodeWithoutADriverIsAsGoodAsNone() throws IOException, DkvmException {
        // A directory does not open for writing, as a node that no module is behind.
        assertThat(VhostNet.AUTO.isUsed(
                        Accelerator.KVM, NetworkMode.OWN, Files.createDirectory(directory.resolve("node"))))
                .isFalse();
    }

    @ParameterizedTest
    @EnumSource(Accelerator.class)
    void offIsOff(Accelerator accelerator) throws DkvmException {
        assertThat(VhostNet.OFF.isUsed(accelerator, NetworkMode.OWN, device)).isFalse();
    }

    @Test
    void whoWantsItHasItOrIsToldWhyNot() throws DkvmException {
        assertThat(VhostNet.ON.isUsed(Accelerator.KVM, NetworkMode.OWN, device)).isTrue();
        assertThatThrownBy(() -> VhostNet.ON.isUsed(Accelerator.KVM, NetworkMode.OWN, none))
                .isInstanceOfSatisfying(
                        DkvmException.class,
                        e -> assertThat(e.text())
                                .isEqualTo("\"" + none + "\" does not open; load the module, modprobe vhost_net,"
                                        + " or run it without \"DKVM_VHOST_NET=on\""));
        assertThatThrownBy(() -> VhostNet.ON.isUsed(Accelerator.TCG, NetworkMode.OWN, device))
                .isInstanceOfSatisfying(
                        DkvmException.class,
                        e -> assertThat(e.text())
                                .isEqualTo("vhost-net works with KVM only, and this VM is emulated;"
                                        + " run it without \"DKVM_VHOST_NET=on\""));
    }

    @ParameterizedTest
    @ValueSource(strings = {"DKVM_VHOST_NET=", "DKVM_VHOST_NET=auto", "DKVM_VHOST_NET=off", "PATH=/bin"})
    void whatTheHostHasOffStaysOff(String entry) throws DkvmException {
        HostConfig off =
                HostConfig.parse(Json.parseObject("{\"vhost-net\":\"off\"}", "dkvm.json"), Path.of("dkvm.json"));
        assertThat(Options.parse(List.of(entry), off).network().vhostNet()).isEqualTo(VhostNet.OFF);
        assertThatThrownBy(() -> Options.parse(List.of("DKVM_VHOST_NET=on"), off))
                .isInstanceOfSatisfying(
                        DkvmException.class,
                        e -> assertThat(e.text())
                                .isEqualTo("option \"DKVM_VHOST_NET\" is not allowed on this host;"
                                        + " \"vhost-net\" is \"off\" in /etc/dkvm/dkvm.json"));
    }
}
