// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor;

import java.time.Duration;
import java.util.function.Consumer;
import org.dkvm.agent.Client;
import org.dkvm.agent.Replies;
import org.dkvm.agent.VmLimits;
import org.dkvm.core.MemorySize;
import org.dkvm.core.machine.MachineSize;
import org.dkvm.monitor.loop.EventLoop;
import org.dkvm.monitor.loop.MonitorLog;
import org.dkvm.monitor.services.MemoryChange;
import org.jspecify.annotations.Nullable;

/**
 * Gives a running VM other limits ({@code docker update}): processors and the limit of processes by its agent, memory by QEMU. What fails leaves what was done before;
 * who asked then asks for the old limits.
 */
final class VmUpdates {
    /** The workload of a container that has only just been started does not run yet; one update comes after the other. */
    private static final Duration PAUSE = Duration.ofMillis(100);

    private final MachineSize size;
    private final long ceiling;
    private final EventLoop loop;
    private final Vm vm;
    private final MemoryChange memory;
    private final MonitorLog log;
    private @Nullable Consumer<String> current;

    VmUpdates(MachineSize size, long ceiling, EventLoop loop, Vm vm, MemoryChange memory, MonitorLog log) {
        this.size = size;
        this.ceiling = ceiling;
        this.loop = loop;
        this.vm = vm;
        this.memory = memory;
        this.log = log;
    }

    /** Begins, and tells the client in the end. */
    void take(Client client, VmLimits limits) {
        take(limits, failure -> {
            if (failure.isEmpty()) {
                Replies.updateDone(client);
            } else {
                Replies.orderRefused(client, failure);
            }
        });
    }

    /**
     * Gives the VM so much memory, where it has less.
     *
     * @param told takes nothing, or what the matter was
     */
    void atLeast(long bytes, Consumer<String> told) {
        long before = memory.target();
        if (vm.isOver()) {
            told.accept("the VM has ended");
        } else if (before >= bytes) {
            told.accept("");
        } else if (!vm.isRunning() || current != null) {
            loop.after(PAUSE, () -> atLeast(bytes, told));
        } else {
            take(new VmLimits(bytes, 0, 0), failure -> {
                if (failure.isEmpty() || memory.target() != bytes) {
                    told.accept(failure);
                    return;
                }
                // What was not reached is not taken for what is there. Nobody else begins meanwhile.
                current = told;
                memory.to(before, _ -> end(failure));
            });
        }
    }

    private void take(VmLimits limits, Consumer<String> told) {
        String reason = refusal(limits);
        if (!reason.isEmpty()) {
            told.accept(reason);
        } else if (!vm.isRunning() || current != null) {
            loop.after(PAUSE, () -> take(limits, told));
        } else {
            current = told;
            log.line("update: " + limits);
            long change = limits.memory() == 0 ? 0 : limits.memory() - memory.target();
            vm.services().changeLimits(limits, change, result -> agentDid(limits, change, result));
        }
    }

    /**
     * The control group's ceiling, with the memory that the VM has been given since its start. An engine gives as much swap as memory where it is not told otherwise; a bound
     * that is too high does no harm while the control group has its own.
     */
    long ceiling() {
        return ceiling + 2 * Math.max(0, memory.target() - size.memory().bytes());
    }

    private String refusal(VmLimits limits) {
        if (vm.isOver()) {
            return "the container is stopping";
        }
        MemorySize most = size.growth().memory();
        if (limits.memory() < 0 || limits.memory() > most.bytes()) {
            return "the VM can not have more than " + most + " of memory before its next start";
        }
        if (limits.processors() < 0 || limits.processors() > size.growth().cpus()) {
            return "the VM can not have more than " + size.growth().cpus() + " processors before its next start";
        }
        return limits.pids() < VmLimits.NO_LIMIT ? "the limit of processes is out of range" : "";
    }

    private void agentDid(VmLimits limits, long change, int result) {
        String failure = switch (result) {
            case 0 -> "";
            case 1 -> "a processor of the VM does not come online, or not go offline";
            case 2 -> "the container was started without a limit of processes and gets none before its next start";
            case 3 -> "the guest can not change the limit of processes";
            case 4 ->
                "the guest uses so much of its memory that it can not give back"
                        + (change < 0 ? " " + new MemorySize(-change) : "");
            default -> "the guest can not change its limits";
        };
        if (!failure.isEmpty() || change == 0) {
            end(failure);
        } else {
            memory.to(limits.memory(), this::end);
        }
    }

    private void end(String failure) {
        Consumer<String> told = current;
        current = null;
        log.line("update: " + (failure.isEmpty() ? "done" : failure));
        if (told != null) {
            told.accept(failure);
        }
    }
}
