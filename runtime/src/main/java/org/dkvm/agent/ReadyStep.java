// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

/**
 * When the agent had done a step of its set-up.
 *
 * @param step the step's number in READY
 * @param bootNanos ns since the guest's kernel started
 */
public record ReadyStep(int step, long bootNanos) {
    /** The step's name; its number where it is not known. */
    public String label() {
        return switch (step) {
            case 1 -> "root";
            case 2 -> "mounts";
            case 3 -> "network";
            case 4 -> "ready";
            default -> "step " + step;
        };
    }
}
