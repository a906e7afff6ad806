// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.start;

import java.time.Duration;
import org.dkvm.bundle.plan.SandboxPlan;
import org.dkvm.bundle.plan.SandboxRights;

/**
 * How long things may take: where the host says how long a phase of a start may take, all is in proportion to that.
 *
 * @param step one phase of the boot
 * @param boot the whole boot, until the workload runs
 * @param restore until a restored guest's agent speaks; then it boots
 * @param finish the guest's syncing and unmounting, after the workload's exit
 */
public record Deadlines(Duration step, Duration boot, Duration restore, Duration finish) {
    /** Ten times what a distribution kernel needs under TCG on a busy host. */
    public static final Deadlines GENEROUS =
            new Deadlines(Duration.ofMinutes(1), Duration.ofMinutes(2), Duration.ofSeconds(10), Duration.ofSeconds(10));

    private static final int DISKS_FACTOR = 12;
    private static final int SET_UP_FACTOR = 15;

    /** Those of a VM. A guest that ends has no less time than usual: what it does not write is lost. */
    public Deadlines of(SandboxPlan plan) {
        return within(plan.rights().startSeconds());
    }

    Deadlines within(int seconds) {
        Duration end = scaled(finish, seconds);
        return new Deadlines(
                scaled(step, seconds),
                scaled(boot, seconds),
                scaled(restore, seconds),
                end.compareTo(finish) > 0 ? end : finish);
    }

    private static Duration scaled(Duration usual, int seconds) {
        return usual.multipliedBy(seconds).dividedBy(SandboxRights.USUAL_START_SECONDS);
    }

    /** How long a guest with disks may take to be set up in all: it fills new ones. */
    Duration setUpWithDisks() {
        return boot.multipliedBy(SET_UP_FACTOR);
    }

    /** As finish, for a guest that has filesystems of its own to write back: what it does not write is lost. */
    Duration finishWithDisks() {
        return finish.multipliedBy(DISKS_FACTOR);
    }
}
