// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.start;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.List;
import org.dkvm.machine.MachineNic;
import org.dkvm.machine.NicCommands;
import org.dkvm.machine.QemuCommand;
import org.dkvm.machine.QmpMessage;
import org.dkvm.machine.TemplateMachine;
import org.dkvm.monitor.link.QemuAnswer;
import org.dkvm.monitor.link.QemuControl;

/** QEMU takes in what was saved of a template, and gets the VM's network cards. It ends by one of two ways, once. */
public final class Restore implements QemuControl.Observer {
    private final QemuControl control;
    private final List<MachineNic> nics;
    private final Runnable done;
    private final Failure failed;
    private boolean over;

    /** What dkvm-init says of a memory that can not be put together: see native/sandbox/init/template.c. */
    public static final String DAMAGED = "the template's memory is damaged";

    /** Told that there is no restored VM. */
    @FunctionalInterface
    public interface Failure {
        /**
         * It could not be made.
         *
         * @param blamed whether it is the template's fault, and the next VM would not come to be either
         */
        void failed(String reason, boolean blamed);
    }

    /**
     * One VM's.
     *
     * @param nics its network cards
     * @param done run when the guest goes on, and has its cards
     * @param failed told why not
     */
    public Restore(QemuControl control, List<MachineNic> nics, Runnable done, Failure failed) {
        this.control = control;
        this.nics = nics;
        this.done = done;
        this.failed = failed;
    }

    /**
     * QEMU has been started, and waits for it. It is given all commands at once, and carries them out one after the other. The cards are there before the state is loaded, which knows nothing
     * of them: the guest is not interrupted for a new device, which its kernel would be long busy with, but finds them when it looks.
     */
    public void begin() {
        control.observe(this);
        execute("migrate-set-capabilities", TemplateMachine.capabilities());
        execute("migrate-set-parameters", TemplateMachine.parameters());
        for (int number = 0; number < nics.size(); number++) {
            MachineNic nic = nics.get(number);
            execute("netdev_add", NicCommands.netdev(QemuCommand.netdev(number), nic));
            execute("device_add", NicCommands.firstCard(number, nic));
        }
        execute("migrate-incoming", TemplateMachine.restore());
    }

    @Override
    public void happened(QmpMessage event) {
        if (over) {
            return;
        }
        String status = TemplateMachine.status(event);
        if ("completed".equals(status)) {
            over = true;
            execute("remove-fd", TemplateMachine.forget());
            done.run();
        } else if ("failed".equals(status)) {
            fail("QEMU can not load the template", true);
        }
    }

    private void fail(String reason, boolean blamed) {
        if (!over) {
            over = true;
            failed.failed(reason, blamed);
        }
    }

    private void execute(String command, JsonObject arguments) {
        control.execute(command, arguments, new QemuAnswer() {
            @Override
            public void done(JsonElement returned) {
                // What counts is the event that the state is loaded.
            }

            @Override
            public void failed(String reason) {
                fail(command + ": " + reason, false);
            }
        });
    }
}
