// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.end;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.dkvm.json.Json;
import org.dkvm.machine.QmpMessage;
import org.dkvm.monitor.link.QemuAnswer;
import org.dkvm.monitor.link.QemuControl;
import org.dkvm.monitor.loop.EventLoop;

/**
 * Hears from QEMU that the machine does not go on. DKVM never stops one: whoever pauses a container freezes its processes, and QEMU says nothing. So a machine that stopped
 * is one that KVM gave up on, or that somebody got at; nobody would let it go on, and its container would hang for ever. See QEMU's docs/interop/qemu-qmp-ref, RunState.
 */
public final class LostMachine implements QemuControl.Observer {
    private static final Duration ANSWER_DEADLINE = Duration.ofSeconds(5);

    /** QEMU gives the machine's memory back, and closes its disks, before it ends. */
    private static final Duration END_DEADLINE = Duration.ofSeconds(20);

    private final EventLoop loop;
    private final QemuControl control;
    private final Supplier<Consumer<String>> losers;
    private final Consumer<String> say;
    private boolean asked;
    private boolean told;

    /**
     * @param losers what ends the VM that runs when it is asked for, for a reason; it does nothing when its end has begun, or when it has been started again
     * @param say tells whoever watches the container
     */
    public LostMachine(EventLoop loop, QemuControl control, Supplier<Consumer<String>> losers, Consumer<String> say) {
        this.loop = loop;
        this.control = control;
        this.losers = losers;
        this.say = say;
    }

    @Override
    public void happened(QmpMessage event) {
        Consumer<String> lose = losers.get();
        switch (event.text()) {
            case "STOP" -> stopped(lose);
            case "RESUME" -> asked = false;
            case "GUEST_PANICKED" -> lose.accept("the guest's kernel panicked");
            case "SHUTDOWN" ->
                loop.after(END_DEADLINE, () -> lose.accept("the VM was turned off, and QEMU does not end"));
            case "BLOCK_IO_ERROR" -> diskFailed(event.details());
            default -> {
                // Nothing that ends a VM.
            }
        }
    }

    /** QEMU tells why only when it is asked. */
    private void stopped(Consumer<String> lose) {
        if (asked) {
            return;
        }
        asked = true;
        EventLoop.Timer timer = loop.after(ANSWER_DEADLINE, () -> {
            asked = false;
            lose.accept("QEMU stopped the VM");
        });
        control.execute("query-status", new JsonObject(), new QemuAnswer() {
            @Override
            public void done(JsonElement returned) {
                timer.cancel();
                String status = returned instanceof JsonObject object
                        ? Json.string(object, "status").orElse("unknown")
                        : "unknown";
                if ("running".equals(status)) {
                    asked = false;
                } else {
                    lose.accept("QEMU stopped the VM (" + status + ")"
                            + ("internal-error".equals(status) ? ": KVM gave a processor up" : ""));
                }
            }

            @Override
            public void failed(String reason) {
                timer.cancel();
                asked = false;
                lose.accept("QEMU stopped the VM");
            }
        });
    }

    /** The guest has an error, too; whose fault it is, it can not know. */
    private void diskFailed(JsonElement details) {
        if (!told && details instanceof JsonObject object) {
            told = true;
            say.accept("a disk of the VM had an error on the host, and the guest is told so: "
                    + Json.string(object, "operation").orElse("?") + " of \""
                    + Json.string(object, "node-name").orElse("?") + "\": "
                    + Json.string(object, "reason").orElse("?"));
        }
    }
}
