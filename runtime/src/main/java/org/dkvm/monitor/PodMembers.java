// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
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
import org.dkvm.monitor.start.MemberTimelines;
import org.dkvm.monitor.start.Places;

/** The further containers of a pod's VM: each is started when its client comes, in a VM that has memory for it (docs/adr/0019-pods.md). */
final class PodMembers {
    private static final String GONE = "the pod's VM has ended";
    private static final int LIMITS_BYTES = 40;
    /** In CONTAINER_LIMITS. */
    private static final long NO_LIMIT = -1;

    private final SessionRouter router;
    private final Places places;
    private final MonitorLog log;
    private final MemberTimelines timelines;
    /** By their numbers, the limits of those that are there. */
    private final Map<Integer, MemberLimits> memory = new HashMap<>();
    /** … and what they had before a change that is under way. */
    private final Map<Integer, MemberLimits> old = new HashMap<>();
    /** Starts that wait until nothing is left of others. */
    private final Map<Client, FrameOutput> pending = new LinkedHashMap<>();
    /** Those for which the VM grows. */
    private final List<Client> growing = new ArrayList<>();

    private boolean over;
    /** Who waits for other limits. */
    private final Map<Integer, Client> updates = new HashMap<>();

    private BiConsumer<Long, Consumer<String>> grow = (bytes, told) -> told.accept("");

    PodMembers(SessionRouter router, Places places, MonitorLog log) {
        this.router = router;
        this.places = places;
        this.log = log;
        timelines = new MemberTimelines(places.memberTimelines(), log);
    }

    /** How the VM gets memory: so many bytes at least; told takes nothing, or what the matter was. */
    void growBy(BiConsumer<Long, Consumer<String>> task) {
        grow = task;
    }

    /** The client of a container's first process is there, and the agent is ready. One that starts anew finds nothing left of the one before. */
    void start(Client client, FrameOutput agent) {
        timelines.attached(client.container());
        resume(client, agent);
    }

    private void resume(Client client, FrameOutput agent) {
        if (client.isEnded()) {
            forget(client);
            return;
        }
        if (over) {
            router.refuseMember(client, GONE);
        } else if (router.hasEndingMembers()) {
            log.line("container " + client.container() + " waits until nothing is left of another");
            pending.put(client, agent);
        } else {
            begin(client, agent);
        }
    }

    private void begin(Client client, FrameOutput agent) {
        int number = client.container();
        try {
            timelines.mark(number, "others ended");
            MemberLimits limits = MemberSetup.plan(places, number).limits();
            memory.put(number, limits);
            growing.add(client);
            growForAll(failure -> {
                if (!growing.remove(client)) {
                    return;
                }
                if (failure.isEmpty()) {
                    open(client, agent);
                } else {
                    refuse(client, failure);
                }
            });
        } catch (DkvmException e) {
            refuse(client, e.text());
        }
    }

    /** What is mounted is looked at now: the VM may have taken its time to grow. */
    private void open(Client client, FrameOutput agent) {
        if (client.isEnded()) {
            forget(client);
            return;
        }
        try {
            timelines.mark(client.container(), "memory");
            MemberSetup member = MemberSetup.read(places, client.container());
            byte[] records = member.container();
            byte[] process = member.process(client);
            log.line("container " + client.container() + " ("
                    + member.plan().container().id() + ") is started");
            Handshake.container(agent, client.container(), records);
            router.openMember(agent, client, process);
            timelines.mark(client.container(), "mounts checked");
        } catch (DkvmException e) {
            refuse(client, e.text());
        }
    }

    private void forget(Client client) {
        memory.remove(client.container());
        timelines.ended(client.container());
    }

    private void refuse(Client client, String reason) {
        forget(client);
        log.line("container " + client.container() + " can not be started: " + reason);
        router.refuseMember(client, reason);
    }

    /** Those without a limit are to share what a VM of the default size has, and do with less where the VM can not have that as well. */
    private void growForAll(Consumer<String> told) {
        long limits = limits();
        long wanted = plus(limits, unlimited());
        grow.accept(wanted, failure -> {
            if (failure.isEmpty() || wanted == limits || over) {
                told.accept(failure);
            } else {
                log.line("containers without a limit of memory get no more of it: " + failure);
                grow.accept(limits, told);
            }
        });
    }

    /** No sum is larger than the largest number. */
    private long limits() {
        long sum = MemberLimits.GUESTS_OWN.bytes();
        for (MemberLimits each : memory.values()) {
            sum = plus(sum, each.memory());
        }
        return sum;
    }

    private long unlimited() {
        long most = 0;
        for (MemberLimits each : memory.values()) {
            most = each.memory() == 0 ? Math.max(most, each.unlimited()) : most;
        }
        return most;
    }

    private static long plus(long one, long other) {
        return one > Long.MAX_VALUE - other ? Long.MAX_VALUE : one + other;
    }

    /** The VM's end has begun: who waits hears of it. */
    void end() {
        over = true;
        growing.addAll(pending.keySet());
        pending.clear();
        List<Client> waiting = List.copyOf(growing);
        growing.clear();
        waiting.forEach(client -> router.refuseMember(client, GONE));
        for (Client client : updates.values()) {
            Replies.orderRefused(client, GONE);
        }
        updates.clear();
    }

    /** A container's first process runs. */
    void opened(int number) {
        timelines.opened(number);
    }

    /** A container has ended. */
    void ended(int number) {
        memory.remove(number);
        timelines.ended(number);
        Client waits = updates.remove(number);
        if (waits != null) {
            Replies.orderRefused(waits, "the container has ended");
        }
        if (!router.hasEndingMembers()) {
            Map<Client, FrameOutput> next = new LinkedHashMap<>(pending);
            pending.clear();
            next.forEach(this::resume);
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
            MemberLimits before = memory.put(number, plan.limits());
            if (before != null) {
                old.put(number, before);
            }
            growForAll(failure -> {
                if (failure.isEmpty()) {
                    agent.send(FrameType.CONTAINER_LIMITS, 0, payload(plan));
                } else {
                    failed(number, failure);
                }
            });
        } catch (DkvmException e) {
            Replies.orderRefused(client, e.text());
        }
    }

    /** It has the limits that it had. */
    private void failed(int number, String reason) {
        MemberLimits before = old.remove(number);
        if (before != null && memory.containsKey(number)) {
            memory.put(number, before);
        }
        Client client = updates.remove(number);
        if (client != null) {
            Replies.orderRefused(client, reason);
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
        if (!updates.containsKey(number) && memory.containsKey(number) && !over) {
            throw new ProtocolException("a CONTAINER_LIMITS_DONE that answers nothing");
        }
        if (result != 0) {
            failed(number, "the guest can not change the container's limits");
            return;
        }
        old.remove(number);
        Client client = updates.remove(number);
        if (client != null) {
            Replies.updateDone(client);
        }
    }
}
