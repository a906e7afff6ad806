// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.start;

import java.time.Duration;
import java.util.function.Consumer;
import org.dkvm.bundle.plan.SandboxPlan;
import org.dkvm.core.machine.Firmware;
import org.dkvm.monitor.loop.EventLoop;
import org.jspecify.annotations.Nullable;

/** The phase that a VM's life is in, and how long it may last. */
public final class PhaseClock {
    private static final int EFI_FACTOR = 2;

    private final EventLoop loop;
    private final Deadlines usual;
    private Deadlines deadlines;
    private final Consumer<Duration> late;
    private Phase phase = Phase.STARTING;
    private EventLoop.@Nullable Timer stepTimer;
    private EventLoop.@Nullable Timer bootTimer;
    private int factor = 1;
    private boolean disks;

    /**
     * The clock of a VM that has not been started.
     *
     * @param late told of a deadline that was missed, before the workload runs
     */
    public PhaseClock(EventLoop loop, Deadlines deadlines, Consumer<Duration> late) {
        this.loop = loop;
        usual = deadlines;
        this.deadlines = deadlines;
        this.late = late;
    }

    public Phase phase() {
        return phase;
    }

    /** QEMU has been started. EFI takes its time before the kernel begins: on a busy host as long as that does. */
    public void begin(SandboxPlan plan) {
        deadlines = usual.of(plan);
        factor = plan.vm().shape().hardware().firmware() == Firmware.EFI ? EFI_FACTOR : 1;
        disks = !plan.vm().disks().isEmpty();
        enter(Phase.CONNECTING);
        bootWithin(deadlines.boot().multipliedBy(factor));
    }

    /** The guest has been told what to be. */
    public void setUp() {
        if (disks) {
            endBoot();
            bootWithin(deadlines.setUpWithDisks());
        }
        enter(Phase.SETTING_UP);
    }

    /** The agent has spoken. Filling a new disk takes its time: one that speaks is at work. There is a deadline for the whole. */
    public void atWork() {
        if (phase == Phase.SETTING_UP && disks) {
            enter(Phase.SETTING_UP);
        }
    }

    /** The next phase begins; none comes after the last. */
    public void enter(Phase next) {
        if (phase == Phase.OVER) {
            return;
        }
        phase = next;
        cancel(stepTimer);
        stepTimer = null;
        if (next.isStarted()) {
            endBoot();
        } else {
            Duration step = deadlines.step().multipliedBy(factor);
            stepTimer = loop.after(step, () -> late.accept(step));
        }
    }

    /** The workload has ended, and the guest is to do so. */
    public void finish(Consumer<Duration> overdue) {
        enter(Phase.FINISHING);
        Duration deadline = disks ? deadlines.finishWithDisks() : deadlines.finish();
        stepTimer = loop.after(deadline, () -> overdue.accept(deadline));
    }

    /** This boot is over, in whatever way. */
    public void endBoot() {
        cancel(bootTimer);
        bootTimer = null;
    }

    private void bootWithin(Duration deadline) {
        bootTimer = loop.after(deadline, () -> late.accept(deadline));
    }

    private static void cancel(EventLoop.@Nullable Timer timer) {
        if (timer != null) {
            timer.cancel();
        }
    }
}
