// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.start;

/** How far a sandbox has come, each with what it waits for. */
public enum Phase {
    STARTING("virtiofsd and QEMU to start"),
    CONNECTING("QEMU to open the agent channel"),
    BOOTING("the guest's kernel to boot and its agent to answer"),
    SETTING_UP("the guest's agent to set the machine up"),
    OPENING("the workload to start"),
    RUNNING("the workload to exit"),
    FINISHING("the guest to sync and unmount"),
    OVER("the VM to end");

    private final String waitsFor;

    Phase(String waitsFor) {
        this.waitsFor = waitsFor;
    }

    /** What is waited for, to follow "waited for". */
    public String waitsFor() {
        return waitsFor;
    }

    /** Whether the workload has been started. */
    public boolean isStarted() {
        return compareTo(RUNNING) >= 0;
    }
}
