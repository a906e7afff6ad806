// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

/** What the monitor wants to know of the main session: the container lives and ends with it. */
public interface MainSession {
    /** The main client has attached. */
    void attached(Client client);

    /** The person for whom the launch waited goes on with it. */
    void resumed();

    /** A signal came before the workload's session was opened. */
    void signalled(int number);

    /** The workload runs. */
    void opened();

    /** The workload could not be started: an exit code and the payload of REFUSED, for the client. */
    void refused(int exitCode, byte[] payload);

    /** The workload has exited; the client is to hear of it when the guest has finished. */
    void exited(int exitCode);

    /** The main client's terminal has another size now; the agent has been told. */
    void resized();

    /** Interfaces, addresses or routes of the sandbox have changed. */
    void networkChanged();

    /** The VM's limits are to be changed; the client hears by {@link Replies#updateDone} or {@link Replies#orderRefused}. */
    void updated(Client client, VmLimits limits);

    /** A client wants to know what the guest uses; it hears by {@link Replies#usage} or {@link Replies#orderRefused}. */
    void usageAsked(Client client);

    /**
     * The main client of a further container has attached, and the agent is ready: {@link SessionRouter#openMember} or {@link SessionRouter#refuseMember} is what it waits for.
     */
    void memberAttached(Client client);

    /** A further container's first process runs. */
    void memberOpened(int container);

    /** A further container has ended, or could not be started. */
    void memberEnded(int container);

    /** A further container's plan has other limits; the client hears by {@link Replies#updateDone} or {@link Replies#orderRefused}. */
    void memberUpdated(Client client);

    /** The main client has gone. */
    void lost();
}
