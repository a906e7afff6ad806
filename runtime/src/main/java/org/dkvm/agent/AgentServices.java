// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

import java.nio.ByteBuffer;

/** What a guest that is being set up, or runs, asks of the monitor besides its sessions. Everything in it is a stranger's: bounded, and checked for its form only. */
public interface AgentServices {
    /** The guest asks for a name; the message is valid during the call only. */
    void dnsQuery(int id, boolean tcp, ByteBuffer message);

    /** The agent has changed the workload's limits, or says by a number why not (protocol/PROTOCOL.md, LIMITS_DONE). */
    void limitsDone(int result) throws ProtocolException;
}
