// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.program;

import java.io.IOException;
import org.dkvm.core.DkvmException;
import org.dkvm.network.NetworkRequest;

/** How the monitor has others do what it may not do itself. */
public interface Programs {
    /** Starts a program; the message of the exception says why that failed. */
    RunningProgram start(ProgramStart start) throws IOException;

    /** Returns when every change of the network that comes from now on will be told. */
    void watchNetwork() throws DkvmException;

    /** Has the network changed. */
    void change(NetworkRequest request) throws DkvmException;
}
