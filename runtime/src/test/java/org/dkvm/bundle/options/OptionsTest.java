// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.options;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Optional;
import org.dkvm.core.Architecture;
import org.dkvm.core.DkvmException;
import org.dkvm.core.container.CgroupMode;
import org.dkvm.core.machine.Board;
import org.dkvm.core.machine.BreakPoint;
import org.dkvm.core.machine.Display;
import org.dkvm.core.machine.Firmware;
import org.dkvm.core.machine.Hardware;
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
                        new KernelOptions("", false, "", false, TemplateUse.AUTO),
                        new MachineOptions(
                                Optional.empty(),
                                Acceleration.AUTO,
                                Hardware.ORDINARY,
                                false,
                                Display.NONE,
                                List.of(),
                                false),
                        new NetworkOptions(false, VhostNet.AUTO),
                        CgroupMode.V2,
                        List.of(),
                        false));
    }

    @Test
    void eachOptionIsUnderstood() throws DkvmException {
        assertThat(parse(
                        "DKVM_KERNEL=debian/6.1",
                        "DKVM_KERNEL_APPEND=a=1 b",
                        "DKVM_KERNEL_DEBUG=1",
                        "DKVM_ARCH=arm64",
                        "DKVM_ACCEL=tcg",
                        "DKVM_CGROUPFS=hybrid",
                        "DKVM_BIOS_DEBUG=1",
                        "DKVM_KERNEL_MOUNT_LIB_MODULES=1",
                        "DKVM_MACHINE=microvm",
                        "DKVM_BIOS=SeaBIOS",
                        "DKVM_BREAK=preqemu,prenet",
                        "DKVM_NETWORK=shared",
                        "DKVM_VHOST_NET=on",
                        "DKVM_TEMPLATE=auto"))
                .isEqualTo(new Options(
                        new KernelOptions("debian/6.1", true, "a=1 b", true, TemplateUse.AUTO),
                        new MachineOptions(
                                Optional.of(Architecture.ARM64),
                                Acceleration.TCG,
                                new Hardware(Board.MICROVM, Firmware.SEABIOS),
                                true,
                                Display.NONE,
                                List.of(),
                                false),
                        new NetworkOptions(true, VhostNet.ON),
                        CgroupMode.HYBRID,
                        List.of(BreakPoint.PRENET, BreakPoint.PREQEMU),
                        false));
    }

    @Test
    void theLastValueCounts() throws DkvmException {
        assertThat(parse("DKVM_KERNEL=a", "DKVM_KERNEL=b").kernel().name()).isEqualTo("b");
    }

    @Test
    void anEmptyValueMeansNotGiven() throws DkvmException {
        assertThat(parse(
                        "DKVM_ACCEL=",
                        "DKVM_ARCH=",
                        "DKVM_CGROUPFS=",
                        "DKVM_KERNEL_DEBUG=",
                        "DKVM_DISKS=",
                        "DKVM_MACHINE=",
                        "DKVM_BIOS=",
                        "DKVM_BREAK=",
                        "DKVM_VHOST_NET="))
                .isEqualTo(parse());
    }

    @ParameterizedTest
    @CsvSource({"amd64, AMD64", "x86_64, AMD64", "arm64, ARM64", "aarch64, ARM64"})
    void anArchitectureHasDockersNameAndTheKernels(String value, Architecture architecture) throws DkvmException {
        assertThat(parse("DKVM_ARCH=" + value).machine().architecture()).contains(architecture);
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
        "DKVM_ARCH=riscv64,amd64 or arm64",
        "DKVM_ARCH=ARM64,amd64 or arm64",
        "DKVM_CGROUPFS=v2,'none, 1, 2 or hybrid'",
        "DKVM_MACHINE=pc,q35 or microvm",
        "DKVM_BIOS=efi,EFI or SeaBIOS",
        "DKVM_BREAK=boot,'one or more of prenet, postnet, preqemu, separated by commas'",
        "'DKVM_BREAK=prenet,','one or more of prenet, postnet, preqemu, separated by commas'",
        "'DKVM_BREAK=prenet, postnet','one or more of prenet, postnet, preqemu, separated by commas'",
        "DKVM_VHOST_NET=1,'auto, on or off'",
        "'DKVM_BREAK=prenet,preqemu,prenet',each point once",
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

    @Test
    void vmsInTheVmNeedTheHostsConsent() throws DkvmException {
        assertThatThrownBy(() -> parse("DKVM_NESTED=1"))
                .isInstanceOfSatisfying(
                        DkvmException.class,
                        e -> assertThat(e.text())
                                .isEqualTo("option \"DKVM_NESTED\" is not allowed on this host;"
                                        + " it needs \"allow\": [\"nested\"] in /etc/dkvm/dkvm.json"));
        assertThat(Options.parse(List.of("DKVM_NESTED=1"), allowing(HostConfig.ALLOW_NESTED))
                        .machine()
                        .nested())
                .isTrue();
        assertThat(parse("DKVM_NESTED=0").machine().nested()).isFalse();
    }

    @Test
    void sysAdminNeedsTheHostsConsent() throws DkvmException {
        assertThatThrownBy(() -> parse("DKVM_SYS_ADMIN=1"))
                .isInstanceOfSatisfying(
                        DkvmException.class,
                        e -> assertThat(e.text()).contains("needs \"allow\": [\"sys-admin\"] in /etc/dkvm/dkvm.json"));
        assertThat(Options.parse(List.of("DKVM_SYS_ADMIN=1"), allowing(HostConfig.ALLOW_SYS_ADMIN))
                        .sysAdmin())
                .isTrue();
        assertThat(parse("DKVM_SYS_ADMIN=0")).isEqualTo(parse());
    }

    @Test
    void aHostMayForbidShellsInItsSandboxes() throws DkvmException {
        assertThatThrownBy(() -> Options.parse(List.of("DKVM_BREAK=prenet"), allowing(HostConfig.ALLOW_SYS_ADMIN)))
                .isInstanceOfSatisfying(
                        DkvmException.class,
                        e -> assertThat(e.text())
                                .isEqualTo("option \"DKVM_BREAK\" is not allowed on this host; it needs \"break\" in"
                                        + " \"allow\" of /etc/dkvm/dkvm.json"));
        assertThat(Options.parse(List.of("DKVM_BREAK="), allowing(HostConfig.ALLOW_SYS_ADMIN))
                        .breaks())
                .isEmpty();
    }

    private static HostConfig allowing(String option) {
        HostConfig defaults = HostConfig.defaults();
        return new HostConfig(
                defaults.vms(),
                List.of(option),
                defaults.overhead(),
                defaults.vhostNet(),
                defaults.logs(),
                defaults.patience(),
                defaults.confinement());
    }
}
