// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

import java.nio.ByteBuffer;

/** What a guest that is being set up, or runs, asks of the monitor besides its sessions. Everything in it is a stranger's: bounded, and checked for its form only. */
public interface AgentServices {
    /** The guest asks for a name; the message is valid during the call only. */
    void dnsQuery(int id, boolean tcp, ByteBuffer message);

    /**
     * A frame of a connection to one of the host's sockets; valid during the call only.
     *
     * @throws ProtocolException when the guest has been given no socket
     */
    void socketFrame(Frame frame) throws ProtocolException;
}
