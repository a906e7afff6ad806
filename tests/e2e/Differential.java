// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.opentest4j.TestAbortedException;

/** Runs a case under the reference and under the subject, and demands that both saw the same. */
final class Differential {
    /** What a case does, on either side. */
    @FunctionalInterface
    interface Scenario {
        void play(Docker docker) throws Exception;
    }

    private Differential() {}

    /** Returns what the reference saw, so that a case can say in addition what it was. */
    static Transcript assertSame(Scenario scenario) throws Exception {
        return assertSame(Engine.MACHINES, scenario);
    }

    /** The same with another engine than the machine's. */
    static Transcript assertSame(Engine engine, Scenario scenario) throws Exception {
        Side reference = new Side(Settings.REFERENCE, engine, scenario);
        Side subject = new Side(Settings.SUBJECT, engine, scenario);
        if (Settings.TOGETHER) {
            Thread other = Thread.ofPlatform().name("e2e-" + Settings.SUBJECT).start(subject::play);
            reference.play();
            other.join();
        } else {
            reference.play();
            subject.play();
        }
        reference.judge(Settings.REFERENCE + ", the reference: the case itself is wrong, or the machine cannot do it");
        subject.judge(Settings.SUBJECT);
        Optional<String> difference = Difference.between(reference.transcript(), subject.transcript());
        if (difference.isPresent()) {
            throw new AssertionError("%s and %s disagree%n%s%n  all that %s saw:%n%s"
                    .formatted(
                            Settings.REFERENCE,
                            Settings.SUBJECT,
                            difference.get(),
                            Settings.SUBJECT,
                            subject.transcript()));
        }
        return reference.transcript();
    }

    /** Plays a case that only a VM can answer; skipped where the suite is proved on the reference. */
    static Transcript onVm(Scenario scenario) throws Exception {
        return onVm(Engine.MACHINES, scenario);
    }

    /** The same on that engine. */
    static Transcript onVm(Engine engine, Scenario scenario) throws Exception {
        if (!Settings.subjectIsVm()) {
            throw new TestAbortedException(Settings.SUBJECT + " boots no VM");
        }
        Side subject = new Side(Settings.SUBJECT, engine, scenario);
        subject.play();
        subject.judge(Settings.SUBJECT);
        return subject.transcript();
    }

    /** One side: plays the scenario, cleans up, and remembers how it went. */
    private static final class Side {
        private final Docker docker;
        private final Scenario scenario;
        private @Nullable Throwable failure;

        Side(String runtime, Engine engine, Scenario scenario) {
            this.docker = new Docker(runtime, engine);
            this.scenario = scenario;
        }

        void play() {
            try {
                scenario.play(docker);
            } catch (Throwable e) {
                failure = e;
            }
            try {
                docker.cleanUp();
            } catch (Throwable e) {
                failure = failure == null ? e : failure;
            }
        }

        Transcript transcript() {
            return docker.transcript();
        }

        void judge(String who) {
            Throwable thrown = failure;
            if (thrown instanceof TestAbortedException aborted) {
                throw aborted;
            }
            if (thrown != null) {
                throw new AssertionError(
                        "under %s: %s%n  seen before:%n%s".formatted(who, thrown.getMessage(), docker.transcript()),
                        thrown);
            }
        }
    }
}
