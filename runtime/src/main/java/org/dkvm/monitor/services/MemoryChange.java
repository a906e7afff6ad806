// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.services;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.time.Duration;
import java.util.function.Consumer;
import org.dkvm.core.MemorySize;
import org.dkvm.core.machine.MachineSize;
import org.dkvm.machine.MemoryCommands;
import org.dkvm.monitor.link.QemuAnswer;
import org.dkvm.monitor.link.QemuControl;
import org.dkvm.monitor.loop.EventLoop;
import org.jspecify.annotations.Nullable;

/**
 * A running VM's memory: what is more than it was started with comes and goes by virtio-mem, what is less than that is in the balloon. Where the guest does not let go of
 * all that virtio-mem gave, the balloon takes as much of the other.
 */
public final class MemoryChange {
    private static final Duration POLL = Duration.ofMillis(50);
    /** So long nothing may happen. */
    private static final int PATIENT_POLLS = 1200;
    /** … before the balloon makes up for what virtio-mem does not get back. */
    private static final int POLLS_BEFORE_BALLOON = 600;
    /** A guest's pages may be larger than the balloon's. */
    private static final long TOLERANCE = 1024 * 1024;

    private final long atStart;
    private final EventLoop loop;
    private final QemuControl control;
    private final long most;
    private long target;
    private boolean settled;
    private boolean backed;
    private boolean plugged;
    private long ofBalloon;
    private long ofDevice;
    private long before;
    private int idle;
    private @Nullable Consumer<String> done;

    public MemoryChange(MachineSize size, EventLoop loop, QemuControl control) {
        this.atStart = size.memory().bytes();
        most = size.growth().memory().bytes();
        this.loop = loop;
        this.control = control;
        target = atStart;
    }

    /** What the VM has, or is to have, in bytes. */
    public long target() {
        return target;
    }

    /**
     * Changes it.
     *
     * @param bytes not more than the VM may have
     * @param answer takes nothing, or what the matter was
     */
    public void to(long bytes, Consumer<String> answer) {
        done = answer;
        target = bytes;
        before = -1;
        idle = 0;
        settled = false;
        if (!backed && requested() > 0) {
            run("object-add", MemoryCommands.backend(most - atStart), this::plug);
        } else if (!plugged && requested() > 0) {
            plug();
        } else if (plugged) {
            run("qom-set", MemoryCommands.request(requested()), this::inflate);
        } else {
            inflate();
        }
    }

    private void plug() {
        backed = true;
        run("device_add", MemoryCommands.device(requested()), () -> {
            plugged = true;
            inflate();
        });
    }

    private long requested() {
        return roundUp(Math.max(0, target - atStart));
    }

    private static long roundUp(long bytes) {
        return (bytes + MemoryCommands.BLOCK - 1) / MemoryCommands.BLOCK * MemoryCommands.BLOCK;
    }

    private void inflate() {
        balloon(target - requested());
    }

    /** Virtio-mem is to keep what it has. */
    private void settle() {
        settled = true;
        long kept = ofDevice;
        run("qom-set", MemoryCommands.request(kept), () -> balloon(target - kept));
    }

    private void balloon(long bytes) {
        run("balloon", MemoryCommands.balloon(bytes), this::look);
    }

    private void look() {
        control.execute("query-balloon", new JsonObject(), new Answer(value -> {
            ofBalloon = value.getAsJsonObject().get("actual").getAsLong();
            if (plugged) {
                control.execute("qom-get", MemoryCommands.size(), new Answer(size -> {
                    ofDevice = size.getAsLong();
                    judge();
                }));
            } else {
                judge();
            }
        }));
    }

    private void judge() {
        long now = ofBalloon + ofDevice;
        idle = now == before ? idle + 1 : 0;
        before = now;
        if (Math.abs(now - target) < TOLERANCE) {
            end("");
        } else if (idle >= PATIENT_POLLS) {
            end(
                    now > target
                            ? "the guest uses its memory and gives back only so much that it still has " + mib(now)
                            : "the guest's kernel does not take more memory than " + mib(now));
        } else if (idle >= POLLS_BEFORE_BALLOON && !settled && ofDevice > requested() && target > ofDevice) {
            settle();
        } else {
            loop.after(POLL, this::look);
        }
    }

    private static MemorySize mib(long bytes) {
        return MemorySize.ofMib(new MemorySize(bytes).mib());
    }

    private void run(String command, JsonObject arguments, Runnable next) {
        control.execute(command, arguments, new Answer(value -> next.run()));
    }

    private void end(String failure) {
        Consumer<String> answer = done;
        done = null;
        if (answer != null) {
            answer.accept(failure);
        }
    }

    private final class Answer implements QemuAnswer {
        private final Consumer<JsonElement> next;

        Answer(Consumer<JsonElement> next) {
            this.next = next;
        }

        @Override
        public void done(JsonElement returned) {
            next.accept(returned);
        }

        @Override
        public void failed(String reason) {
            end("QEMU can not change the memory: " + reason);
        }
    }
}
