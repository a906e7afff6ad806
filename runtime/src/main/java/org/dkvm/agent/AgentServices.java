// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

import java.nio.ByteBuffer;

/** What a guest that is being set up, or runs, asks of the monitor besides its sessions. Everything in it is a stranger's: bounded, and checked for its form only. */
public interface AgentServices {
    /** The guest asks for a name; the message is valid during the call only. */
    void dnsQuery(int id, boolean tcp, ByteBuffer message);

    /** The guest's name server, an address of its loopback: who answers there in the sandbox's namespace is to be asked. */
    void resolver(byte[] address);

    /** All that the guest listens at now, as in LISTENING; valid during the call only. */
    void listening(ByteBuffer ports);

    /**
     * The guest answers a change of its network.
     *
     * @param number the change's
     * @param done whether it was made
     * @param text why not; bounded and escaped
     */
    void networkSet(int number, boolean done, String text) throws ProtocolException;

    /**
     * A frame of a connection to one of the host's sockets, or from the host; valid during the call only.
     *
     * @throws ProtocolException when the guest has been given no socket, or there is no such connection
     */
    void socketFrame(Frame frame) throws ProtocolException;

    /**
     * The guest's kernel asks for a lock of a file, or gives one up; valid during the call only.
     *
     * @throws ProtocolException when the guest has no business with locks
     */
    void lockFrame(Frame frame) throws ProtocolException;

    /** The guest watches a file or directory of the share, or does not any more; valid during the call only. */
    void fileFrame(Frame frame) throws ProtocolException;

    /** The agent has changed the workload's limits, or says by a number why not (protocol/PROTOCOL.md, LIMITS_DONE). */
    void limitsDone(int result) throws ProtocolException;

    /** What the guest uses, as in USAGE, or nothing where it can not tell; valid during the call only. */
    void usage(ByteBuffer report) throws ProtocolException;

    /** The agent has given back what the guest remembered of files. */
    void shedDone() throws ProtocolException;

    /**
     * The guest asks what time it is.
     *
     * @param number the question's, for the answer
     */
    void clockAsked(long number);
}
