// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

/**
 * When the agent had done a step of its set-up.
 *
 * @param step the step's number in READY, or in FAILED
 * @param bootNanos ns since the guest's kernel started
 */
public record ReadyStep(int step, long bootNanos) {
    private static final int ROOT = 1;
    private static final int NETWORK = 3;

    /** Whether it is about the machine, and not about what the container is to have. */
    public boolean isMachines() {
        return step == ROOT || step == NETWORK;
    }

    /** The step's name; its number where it is not known. */
    public String label() {
        return switch (step) {
            case ROOT -> "root";
            case 2 -> "mounts";
            case NETWORK -> "network";
            case 4 -> "ready";
            case 5 -> "sysctls";
            default -> "step " + step;
        };
    }
}
