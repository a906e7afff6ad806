// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

/**
 * How a command ended.
 *
 * @param stdout what it wrote there
 * @param stderr what it wrote there
 * @param exitCode 0 to 255
 */
record Outcome(Bytes stdout, Bytes stderr, int exitCode) {
    /** Standard output as text, without the last newline. */
    String text() {
        return stdout.utf8().stripTrailing();
    }

    /** Standard error as text, without the last newline. */
    String errors() {
        return stderr.utf8().stripTrailing();
    }

    @Override
    public String toString() {
        return "exit code " + exitCode + "\n      stdout " + stdout + "\n      stderr " + stderr;
    }
}
