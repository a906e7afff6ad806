// SPDX-License-Identifier: Apache-2.0
package org.dkvm.machine;

import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.machine.Descriptor;
import org.dkvm.core.machine.DisplayMode;

/** What QEMU has open when it starts, beside its disks: it may open nothing in the sandbox but its own libraries and the kernel. */
public final class QemuDescriptors {
    static final int SHARE = 10;
    static final int AGENT = 11;
    static final int CONTROL = 12;
    static final int CONSOLE = 13;
    static final int FIRMWARE = 14;
    static final int TERMINAL_INPUT = 15;
    static final int TERMINAL_OUTPUT = 16;
    static final int MEMORY = 17;
    static final int STATE = 18;

    private QemuDescriptors() {}

    /** Those of this machine. */
    public static List<Descriptor> of(Machine machine) {
        Machine.Sockets sockets = machine.sockets();
        List<Descriptor> descriptors = new ArrayList<>();
        descriptors.add(new Descriptor.Connection(SHARE, sockets.share()));
        descriptors.add(new Descriptor.Connection(AGENT, sockets.agent()));
        descriptors.add(new Descriptor.Connection(CONTROL, sockets.control()));
        if (machine.shape().display().mode() == DisplayMode.SERIAL) {
            descriptors.add(new Descriptor.Reading(TERMINAL_INPUT, sockets.terminal()));
            descriptors.add(new Descriptor.Writing(TERMINAL_OUTPUT, sockets.terminal()));
        } else {
            descriptors.add(new Descriptor.Connection(CONSOLE, sockets.console()));
        }
        if (machine.shape().firmwareDebug()) {
            descriptors.add(new Descriptor.Connection(FIRMWARE, sockets.console()));
        }
        if (machine.birth() == Birth.RESTORE) {
            descriptors.add(new Descriptor.TemplateMemory(MEMORY));
            descriptors.add(new Descriptor.TemplateState(STATE));
        }
        return descriptors;
    }
}
