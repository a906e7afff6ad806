// SPDX-License-Identifier: Apache-2.0
package org.dkvm.network;

/** An open question: the agent's number for it, the DNS id its message had, and when it is given up (System.nanoTime). */
final class DnsQuery {
    private final int id;
    private final short dnsId;
    private final long deadlineNanos;
    private boolean done;

    DnsQuery(int id, short dnsId, long deadlineNanos) {
        this.id = id;
        this.dnsId = dnsId;
        this.deadlineNanos = deadlineNanos;
    }

    int id() {
        return id;
    }

    short dnsId() {
        return dnsId;
    }

    long deadlineNanos() {
        return deadlineNanos;
    }

    boolean isDone() {
        return done;
    }

    void setDone() {
        done = true;
    }
}
