// SPDX-License-Identifier: Apache-2.0
package org.dkvm.machine;

import static org.assertj.core.api.Assertions.assertThat;

import org.dkvm.core.Architecture;
import org.dkvm.core.MemorySize;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.core.machine.Board;
import org.dkvm.core.machine.Firmware;
import org.dkvm.core.machine.Growth;
import org.dkvm.core.machine.GuestKernel;
import org.dkvm.core.machine.Hardware;
import org.dkvm.core.machine.MachineSize;
import org.junit.jupiter.api.Test;

class KernelCommandLineTest {
    private static final GuestKernel KERNEL = new GuestKernel("dkvm/1", Architecture.AMD64, "vmlinux", "", false);

    private static String of(Accelerator accelerator, GuestKernel kernel, Board board, long tscKilohertz) {
        return KernelCommandLine.of(Machines.with(accelerator)
                .kernel(kernel)
                .hardware(new Hardware(board, Firmware.SEABIOS))
                .tscKilohertz(tscKilohertz)
                .machine());
    }

    private static String growing(Accelerator accelerator, GuestKernel kernel) {
        MemorySize memory = MemorySize.ofMib(128);
        return KernelCommandLine.of(Machines.with(accelerator)
                .kernel(kernel)
                .size(new MachineSize(2, memory, new Growth(4, memory)))
                .machine());
    }

    @Test
    void processorsForLaterStayOffline() {
        assertThat(growing(Accelerator.KVM, KERNEL)).contains(" maxcpus=2");
        // The agent brings one of the others online.
        assertThat(growing(Accelerator.TCG, KERNEL)).contains(" maxcpus=1 ").doesNotContain("maxcpus=2");
    }

    @Test
    void oneThatIsSavedHasItsProcessorsBefore() {
        for (Accelerator accelerator : Accelerator.values()) {
            Machines saved = Machines.with(accelerator).cpus(2);
            String template = KernelCommandLine.of(saved.birth(Birth.TEMPLATE).machine());
            assertThat(template).endsWith(" -- processors=2");
            assertThat(KernelCommandLine.of(saved.birth(Birth.RESTORE).machine()))
                    .isEqualTo(template);
            assertThat(KernelCommandLine.of(saved.birth(Birth.BOOT).machine())).doesNotContain("--");
        }
    }

    @Test
    void anEmulatedKernelIsToldTheHostsClock() {
        assertThat(of(Accelerator.TCG, KERNEL, Board.Q35, 2_596_094))
                .isEqualTo("console=ttyS0 panic=-1 quiet init_on_alloc=1 no_timer_check tsc_early_khz=2596094");
    }

    @Test
    void oneWhoseHostDoesNotKnowMeasuresItself() {
        assertThat(of(Accelerator.TCG, KERNEL, Board.Q35, 0)).doesNotContain("tsc");
        assertThat(of(Accelerator.TCG, KERNEL, Board.MICROVM, 0)).doesNotContain("tsc");
    }

    @Test
    void underKvmThereIsAnotherClock() {
        assertThat(of(Accelerator.KVM, KERNEL, Board.Q35, 2_596_094)).isEqualTo("console=ttyS0 panic=-1 quiet");
    }

    @Test
    void aForeignProcessorsTimerTellsItself() {
        GuestKernel foreign = new GuestKernel("debian-arm64/1", Architecture.ARM64, "vmlinuz", "", false);
        assertThat(of(Accelerator.TCG, foreign, Board.Q35, 2_596_094))
                .isEqualTo("console=ttyAMA0 panic=-1 quiet init_on_alloc=1");
    }

    @Test
    void onABoardWithoutAnotherTimerNothingWatchesIt() {
        assertThat(of(Accelerator.TCG, KERNEL, Board.MICROVM, 2_596_094))
                .contains(" tsc_early_khz=2596094 ")
                .endsWith(" tsc=reliable");
    }
}
