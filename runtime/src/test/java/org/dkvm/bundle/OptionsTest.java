// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.dkvm.core.CgroupMode;
import org.dkvm.core.Display;
import org.dkvm.core.DkvmException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OptionsTest {
    private static Options parse(String... env) throws DkvmException {
        return Options.parse(List.of(env), HostConfig.defaults());
    }

    @Test
    void withoutAnyTheDefaultsHold() throws DkvmException {
        assertThat(parse("PATH=/bin", "XDKVM_KERNEL=x"))
                .isEqualTo(new Options(
                        "", "", false, Acceleration.AUTO, CgroupMode.V2, false, false, false, List.of(), Display.NONE));
    }

    @Test
    void eachOptionIsUnderstood() throws DkvmException {
        assertThat(parse(
                        "DKVM_KERNEL=debian/6.1",
                        "DKVM_KERNEL_APPEND=a=1 b",
                        "DKVM_KERNEL_DEBUG=1",
                        "DKVM_ACCEL=tcg",
                        "DKVM_CGROUPFS=hybrid",
                        "DKVM_BIOS_DEBUG=1",
                        "DKVM_KERNEL_MOUNT_LIB_MODULES=1"))
                .isEqualTo(new Options(
                        "debian/6.1",
                        "a=1 b",
                        true,
                        Acceleration.TCG,
                        CgroupMode.HYBRID,
                        true,
                        false,
                        true,
                        List.of(),
                        Display.NONE));
    }

    @Test
    void theLastValueCounts() throws DkvmException {
        assertThat(parse("DKVM_KERNEL=a", "DKVM_KERNEL=b").kernel()).isEqualTo("b");
    }

    @Test
    void anEmptyValueMeansNotGiven() throws DkvmException {
        assertThat(parse("DKVM_ACCEL=", "DKVM_CGROUPFS=", "DKVM_KERNEL_DEBUG=", "DKVM_DISKS="))
                .isEqualTo(parse());
    }

    @Test
    void anUnknownOptionIsRefusedWithTheKnownOnes() {
        assertThatThrownBy(() -> parse("DKVM_KERNELS=x"))
                .isInstanceOfSatisfying(
                        DkvmException.class,
                        e -> assertThat(e.text())
                                .startsWith("option \"DKVM_KERNELS\" is not known; known are DKVM_ACCEL, ")
                                .contains("DKVM_KERNEL_APPEND"));
    }

    @ParameterizedTest
    @CsvSource({
        "DKVM_KERNEL_DEBUG=yes,0 or 1",
        "DKVM_BIOS_DEBUG=2,0 or 1",
        "DKVM_ACCEL=KVM,'auto, kvm or tcg'",
        "DKVM_CGROUPFS=v2,'none, 1, 2 or hybrid'"
    })
    void aBadValueIsRefusedWithTheAllowedOnes(String entry, String allowed) {
        String name = entry.substring(0, entry.indexOf('='));
        assertThatThrownBy(() -> parse(entry))
                .isInstanceOfSatisfying(
                        DkvmException.class,
                        e -> assertThat(e.text()).contains("\"" + name + "\"").endsWith("give " + allowed));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\nb", "a\u0000", "caf\u00e9"})
    void kernelParametersThatAreNotPrintableAreRefused(String value) {
        assertThatThrownBy(() -> parse("DKVM_KERNEL_APPEND=" + value)).hasMessageContaining("printable ASCII");
    }

    @Test
    void tooManyKernelParametersAreRefused() {
        assertThatThrownBy(() -> parse("DKVM_KERNEL_APPEND=" + "x".repeat(1025)))
                .hasMessageContaining("1025");
    }

    @ParameterizedTest
    @ValueSource(strings = "DKVM_BREAK=prenet")
    void optionsToComeAreRefused(String entry) {
        assertThatThrownBy(() -> parse(entry)).hasMessageContaining("is not supported yet");
    }

    @Test
    void sysAdminNeedsTheHostsConsent() throws DkvmException {
        assertThatThrownBy(() -> parse("DKVM_SYS_ADMIN=1"))
                .isInstanceOfSatisfying(
                        DkvmException.class,
                        e -> assertThat(e.text()).contains("needs \"allow\": [\"sys-admin\"] in /etc/dkvm/dkvm.json"));
        HostConfig defaults = HostConfig.defaults();
        HostConfig allowing = new HostConfig(
                defaults.acceleration(),
                defaults.kernel(),
                defaults.memory(),
                defaults.cpus(),
                List.of(HostConfig.ALLOW_SYS_ADMIN),
                defaults.kvmOverhead(),
                defaults.tcgOverhead());
        assertThat(Options.parse(List.of("DKVM_SYS_ADMIN=1"), allowing).sysAdmin())
                .isTrue();
        assertThat(parse("DKVM_SYS_ADMIN=0")).isEqualTo(parse());
    }
}
