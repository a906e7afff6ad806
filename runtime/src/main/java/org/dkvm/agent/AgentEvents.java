// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

import java.util.List;

/** What the agent tells the monitor about the machine. Texts are escaped and bounded. */
public interface AgentEvents {
    /** It is there. */
    void hello(Hello hello);

    /** The machine is set up. */
    void ready(List<ReadyStep> steps);

    /** The machine could not be set up. */
    void failed(int step, String text);

    /** A line for the log; 0 error … 3 debug. */
    void log(int level, String text);

    /** The guest is done. */
    void finished(Finished finished);

    /** The limits of a further container were changed; 0, or what the matter was. */
    void containerLimitsDone(int container, int result) throws ProtocolException;
}
