// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli;

/**
 * What one check of the host found.
 *
 * @param verdict whether VMs run with it
 * @param subject what was looked at
 * @param finding what is there
 * @param advice what to do; empty when there is nothing to do
 */
record CheckResult(Verdict verdict, String subject, String finding, String advice) {
    /** From good to bad. */
    enum Verdict {
        OK,
        /** VMs run, but something is missing or slow. */
        WARNING,
        FAILED
    }

    static CheckResult ok(String subject, String finding) {
        return new CheckResult(Verdict.OK, subject, finding, "");
    }

    static CheckResult warning(String subject, String finding, String advice) {
        return new CheckResult(Verdict.WARNING, subject, finding, advice);
    }

    static CheckResult failed(String subject, String finding, String advice) {
        return new CheckResult(Verdict.FAILED, subject, finding, advice);
    }
}
