// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.network;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.function.Consumer;
import org.dkvm.agent.Frame;
import org.dkvm.agent.FrameType;
import org.dkvm.agent.ProtocolException;
import org.dkvm.monitor.link.AgentLink;
import org.dkvm.monitor.loop.EventLoop;
import org.jspecify.annotations.Nullable;

/** Changes of its network that the agent is told, one at a time, and what it answers. */
final class NetworkOrders {
    /** A guest that is emulated on a busy host needs seconds to see a new card. */
    private static final Duration DEADLINE = Duration.ofSeconds(60);

    private final EventLoop loop;
    private final AgentLink agent;
    private int last;
    private @Nullable Consumer<String> waiting;
    private EventLoop.@Nullable Timer timer;

    NetworkOrders(EventLoop loop, AgentLink agent) {
        this.loop = loop;
        this.agent = agent;
    }

    /**
     * Has the agent make a change; the one before has been answered.
     *
     * @param records of NETWORK
     * @param answer told once: an empty text when the change is made, or why it is not
     */
    void give(byte[] records, Consumer<String> answer) {
        if (records.length + Integer.BYTES > Frame.MAX_PAYLOAD) {
            answer.accept("a change of the network with " + records.length + " bytes, more than fit a frame");
            return;
        }
        waiting = answer;
        ByteBuffer payload = ByteBuffer.allocate(Integer.BYTES + records.length).order(ByteOrder.LITTLE_ENDIAN);
        payload.putInt(++last).put(records);
        agent.output().send(FrameType.NETWORK, 0, payload.array());
        expect(System.nanoTime());
    }

    /** The agent has answered; it may do so once for each number that it was told, also too late. */
    void answered(int number, boolean done, String text) throws ProtocolException {
        if (Integer.compareUnsigned(number, last) > 0 || number == 0) {
            throw new ProtocolException(
                    "an answer to change " + Integer.toUnsignedString(number) + " of the network, which was not told");
        }
        if (number == last) {
            finish(done ? "" : "the guest: " + text);
        }
    }

    void end() {
        waiting = null;
    }

    private void expect(long since) {
        timer = loop.after(DEADLINE, () -> {
            // A paused container is as slow as the engine's user wants: the time it was frozen does not count.
            boolean frozen =
                    System.nanoTime() - since > DEADLINE.multipliedBy(2).toNanos();
            if (frozen) {
                expect(System.nanoTime());
            } else {
                finish("the guest did not answer within " + DEADLINE.toSeconds() + " s");
            }
        });
    }

    private void finish(String text) {
        EventLoop.Timer running = timer;
        if (running != null) {
            running.cancel();
        }
        Consumer<String> answer = waiting;
        waiting = null;
        if (answer != null) {
            answer.accept(text);
        }
    }
}
