// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import java.time.Duration;
import java.util.List;

/** What the person who starts the suite may choose, by system property; README.md lists them. */
final class Settings {
    /** The runtime that says what is right. */
    static final String REFERENCE = System.getProperty("dkvm.e2e.reference", "runc");

    /** The runtime under test. */
    static final String SUBJECT = System.getProperty("dkvm.e2e.subject", "dkvm");

    /** The administrator's command of the package under test. */
    static final String COMMAND = System.getProperty("dkvm.e2e.command", "/opt/dkvm/bin/dkvm");

    /** The images that must be there before any case begins: all, unless the cases that are to run need fewer. */
    static final List<String> IMAGES = List.of(
            System.getProperty("dkvm.e2e.images", String.join(",", Images.ALL)).split(","));

    /** How long one command, or one awaited condition, may take: no measure of speed, only the end of a hang. */
    static final Duration DEADLINE = Duration.ofSeconds(Long.getLong("dkvm.e2e.deadlineSeconds", 240));

    /** How many exec sessions the soak opens. */
    static final int SOAK_SESSIONS = Integer.getInteger("dkvm.e2e.soakSessions", 60);

    /** How many VMs the soak of random lives has at a time. */
    static final int SOAK_VMS = Integer.getInteger("dkvm.e2e.soakVms", 3);

    /** How many pods the soak of pods has at a time. */
    static final int SOAK_PODS = Integer.getInteger("dkvm.e2e.soakPods", 2);

    /** For how long they start new ones. */
    static final Duration SOAK_TIME = Duration.ofSeconds(Long.getLong("dkvm.e2e.soakSeconds", 15));

    /** What its random numbers begin with: the same one plays the same lives. */
    static final long SOAK_SEED = Long.getLong("dkvm.e2e.soakSeed", 4711);

    /** How often a container of a pod is started again. */
    static final int POD_RESTARTS = Integer.getInteger("dkvm.e2e.podRestarts", 20);

    /** For how long a guest's clock is watched. */
    static final Duration CLOCK_TIME = Duration.ofSeconds(Long.getLong("dkvm.e2e.clockSeconds", 25));

    /** Whether the machine is there for the suite alone, so that its engine may be restarted: the box of {@code make test-host}. */
    static final boolean OWN_HOST = Boolean.getBoolean("dkvm.e2e.ownHost");

    /** Whether reference and subject run one case at the same time. */
    static final boolean TOGETHER = Boolean.parseBoolean(System.getProperty("dkvm.e2e.together", "true"));

    private Settings() {}

    /** Whether the runtime under test boots VMs; false when the suite is proved on runc itself. */
    static boolean subjectIsVm() {
        return !SUBJECT.equals(REFERENCE);
    }
}
