// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.program;

import java.io.InputStream;

/** A program that was started, as its process is seen. */
public interface RunningProgram {
    /** Its process's number. */
    long pid();

    /** What it writes to standard output and standard error; somebody has to read it to its end. */
    InputStream words();

    /** Sends it a signal. See signal(7). */
    void signal(int number);

    /** Ends it at once. */
    void kill();

    /** Waits for its end; its exit code, or 128 and the number of the signal that ended it. */
    int waitFor() throws InterruptedException;
}
