// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.IntConsumer;
import org.dkvm.agent.AgentServices;
import org.dkvm.agent.FrameType;
import org.dkvm.agent.ProtocolException;
import org.dkvm.agent.VmLimits;
import org.jspecify.annotations.Nullable;

/** What the monitor does for a guest besides its sessions. Each service is made when it is first wanted. */
final class GuestServices implements AgentServices {
    private static final int LIMITS_BYTES = 21;

    private final GuestDns dns;
    private @Nullable AgentLink agent;
    private @Nullable IntConsumer limits;

    GuestServices(EventLoop loop) {
        dns = new GuestDns(loop, this::dnsAnswer);
    }

    /** The agent's channel is there. */
    void connected(AgentLink link) {
        agent = link;
    }

    /** Nobody waits for anything any more. */
    void end() {
        dns.end();
        agent = null;
    }

    @Override
    public void dnsQuery(int id, boolean tcp, ByteBuffer message) {
        dns.ask(id, tcp, message);
    }

    /**
     * Has the agent change the workload's limits; one change at a time.
     *
     * @param memory bytes that the VM is going to have more; less where negative
     * @param answer takes LIMITS_DONE's number; not called when the guest goes
     */
    void changeLimits(VmLimits wanted, long memory, IntConsumer answer) {
        AgentLink link = agent;
        if (link != null) {
            limits = answer;
            ByteBuffer payload = ByteBuffer.allocate(LIMITS_BYTES).order(ByteOrder.LITTLE_ENDIAN);
            payload.putInt(wanted.processors()).putLong(wanted.pids()).put((byte) (memory > 0 ? 1 : 0));
            payload.putLong(Math.max(0, -memory));
            link.output().send(FrameType.LIMITS, 0, payload.array());
        }
    }

    @Override
    public void limitsDone(int result) throws ProtocolException {
        IntConsumer answer = limits;
        if (answer == null) {
            throw new ProtocolException("a LIMITS_DONE that answers nothing");
        }
        limits = null;
        answer.accept(result);
    }

    private void dnsAnswer(int id, ByteBuffer message) {
        AgentLink link = agent;
        // A guest that does not read does not need answers either.
        if (link != null && !link.isFull()) {
            byte[] payload = new byte[message.remaining()];
            message.get(payload);
            link.output().send(FrameType.DNS_ANSWER, id, payload);
        }
    }
}
