// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.dkvm.agent.Client;
import org.dkvm.agent.FrameOutput;
import org.dkvm.agent.FrameType;
import org.dkvm.agent.ProtocolException;
import org.dkvm.agent.Replies;
import org.dkvm.agent.SessionRouter;
import org.dkvm.bundle.plan.MemberPlan;
import org.dkvm.core.DkvmException;
import org.dkvm.core.container.MemberLimits;
import org.dkvm.monitor.loop.MonitorLog;
import org.dkvm.monitor.start.Handshake;
import org.dkvm.monitor.start.MemberSetup;
import org.dkvm.monitor.start.Places;

/** The further containers of a pod's VM: each is started when its client comes, in a VM that has memory for it (docs/adr/0019-pods.md). */
final class PodMembers {
    /** For the guest's kernel and its agent; create gives as much where it knows the pod's size. */
    static final long GUESTS_OWN = 48L << 20;

    private static final int LIMITS_BYTES = 40;
    /** In CONTAINER_LIMITS. */
    private static final long NO_LIMIT = -1;

    private final SessionRouter router;
    private final Places places;
    private final MonitorLog log;
    /** By their numbers, the memory that those have which are there. */
    private final Map<Integer, Long> memory = new HashMap<>();
    /** Who waits for other limits. */
    private final Map<Integer, Client> updates = new HashMap<>();

    private BiConsumer<Long, Consumer<String>> grow = (bytes, told) -> told.accept("");

    PodMembers(SessionRouter router, Places places, MonitorLog log) {
        this.router = router;
        this.places = places;
        this.log = log;
    }

    /** How the VM gets memory: so many bytes at least; told takes nothing, or what the matter was. */
    void growBy(BiConsumer<Long, Consumer<String>> task) {
        grow = task;
    }

    /** The client of a container's first process is there, and the agent is ready. */
    void start(Client client, FrameOutput agent) {
        try {
            MemberSetup member = MemberSetup.read(places, client.container());
            byte[] records = member.container();
            byte[] process = member.process(client);
            memory.put(client.container(), member.plan().limits().memory());
            grow.accept(needed(), failure -> {
                if (client.isEnded()) {
                    memory.remove(client.container());
                } else if (failure.isEmpty()) {
                    log.line("container " + client.container() + " ("
                            + member.plan().container().id() + ") is started");
                    Handshake.container(agent, client.container(), records);
                    router.openMember(agent, client, process);
                } else {
                    refuse(client, failure);
                }
            });
        } catch (DkvmException e) {
            refuse(client, e.text());
        }
    }

    private void refuse(Client client, String reason) {
        memory.remove(client.container());
        log.line("container " + client.container() + " can not be started: " + reason);
        router.refuseMember(client, reason);
    }

    private long needed() {
        long sum = 0;
        for (long each : memory.values()) {
            sum += each;
        }
        return sum == 0 ? 0 : sum + GUESTS_OWN;
    }

    /** A container has ended. */
    void ended(int number) {
        memory.remove(number);
        Client waits = updates.remove(number);
        if (waits != null) {
            Replies.orderRefused(waits, "the container has ended");
        }
    }

    /** A container's plan has other limits. */
    void update(Client client, FrameOutput agent) {
        int number = client.container();
        try {
            MemberPlan plan = MemberSetup.plan(places, number);
            if (updates.containsKey(number)) {
                Replies.orderRefused(client, "its limits are being changed");
                return;
            }
            updates.put(number, client);
            memory.put(number, plan.limits().memory());
            grow.accept(needed(), failure -> {
                if (failure.isEmpty()) {
                    agent.send(FrameType.CONTAINER_LIMITS, 0, payload(plan));
                } else if (updates.remove(number) != null) {
                    Replies.orderRefused(client, failure);
                }
            });
        } catch (DkvmException e) {
            Replies.orderRefused(client, e.text());
        }
    }

    private static byte[] payload(MemberPlan plan) {
        MemberLimits limits = plan.limits();
        long pids = plan.container().cgroup().pidsLimit();
        ByteBuffer payload = ByteBuffer.allocate(LIMITS_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        payload.putInt(plan.number());
        payload.putLong(limits.memory() > 0 ? limits.memory() : NO_LIMIT);
        payload.putLong(limits.cpuQuota() > 0 ? limits.cpuQuota() : NO_LIMIT);
        payload.putLong(limits.cpuPeriod());
        payload.putInt((int) limits.cpuWeight());
        payload.putLong(pids > 0 ? pids : NO_LIMIT);
        return payload.array();
    }

    /** The agent has changed a container's limits, or can not. */
    void limitsDone(int number, int result) throws ProtocolException {
        Client client = updates.remove(number);
        if (client == null && memory.containsKey(number)) {
            throw new ProtocolException("a CONTAINER_LIMITS_DONE that answers nothing");
        }
        if (client == null) {
            return;
        }
        if (result == 0) {
            Replies.updateDone(client);
        } else {
            Replies.orderRefused(client, "the guest can not change the container's limits");
        }
    }
}
