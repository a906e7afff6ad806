// SPDX-License-Identifier: Apache-2.0
package org.dkvm.machine;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.List;
import org.dkvm.core.MemorySize;
import org.dkvm.core.machine.MachineShape;
import org.dkvm.json.Json;

/**
 * A machine that is saved, and the machines that are restored from what was saved. All of them have the same devices: no disk and no network card, and two ports that cards
 * are plugged into after the machine was restored. Its memory is a file with a name, which QEMU leaves out of what it saves (x-ignore-shared).
 */
public final class TemplateMachine {
    /** The ports for network cards that a restored machine starts with. */
    public static final int CARD_PORTS = 2;

    /** The kernel that templates are of: DKVM's own. */
    private static final String KERNEL = "dkvm";

    /** A kernel writes to memory for each page that it has. */
    private static final MemorySize MOST_MEMORY = MemorySize.ofMib(4096);

    /** Where a template's memory and state are made, in the sandbox of who makes it. */
    public static final Path MADE_MEMORY = Path.of("/tmp/memory");

    /** Far from the numbers of the disks' sets. */
    static final int STATE_SET = 200;

    private TemplateMachine() {}

    /** Whether a machine of this shape, without disks, can be restored. */
    public static boolean fits(MachineShape shape) {
        return shape.hardware().isOrdinary()
                && !shape.kernel().architecture().isForeign()
                && shape.kernel().name().startsWith(KERNEL + "/")
                && shape.kernel().append().isEmpty()
                && !shape.kernel().debug()
                && !shape.firmwareDebug()
                && shape.display().isNone()
                && shape.size().memory().compareTo(MOST_MEMORY) <= 0;
    }

    static String cardPort(int number) {
        return "card" + number;
    }

    /** The value of {@code -object}: the machine's memory. */
    static String memory(Birth birth, MemorySize size) {
        String bytes = "share=on,size=" + size.bytes() + "b";
        return switch (birth) {
            case BOOT -> "memory-backend-memfd,id=memory," + bytes;
            case TEMPLATE -> "memory-backend-file,id=memory," + bytes + ",mem-path=" + MADE_MEMORY;
            case RESTORE ->
                "memory-backend-file,id=memory," + bytes + ",mem-path=/proc/self/fd/" + QemuDescriptors.MEMORY;
        };
    }

    /** What such a machine has at the end of its command line. */
    static void add(List<String> argv, Birth birth) {
        if (!birth.isSaved()) {
            return;
        }
        // A kernel that knows it makes its random numbers new when it finds itself restored.
        QemuCommand.add(argv, "-device", "vmgenid,guid=auto");
        for (int i = 0; i < CARD_PORTS; i++) {
            // A port that was empty when it was saved would else have no power, and its card not be seen.
            QemuCommand.add(
                    argv,
                    "-device",
                    "pcie-root-port,id=" + cardPort(i) + ",chassis=" + (QemuCommand.SPARE_PORTS + 2 + i)
                            + ",power_controller_present=off");
        }
        if (birth == Birth.RESTORE) {
            QemuCommand.add(argv, "-add-fd", "fd=" + QemuDescriptors.STATE + ",set=" + STATE_SET);
            QemuCommand.add(argv, "-incoming", "defer");
        }
    }

    /** Of {@code migrate-set-capabilities}: memory that has a name stays where it is, and the end of a migration is told. */
    public static JsonObject capabilities() {
        JsonArray capabilities = new JsonArray();
        for (String name : List.of("x-ignore-shared", "events")) {
            JsonObject capability = new JsonObject();
            capability.addProperty("capability", name);
            capability.addProperty("state", true);
            capabilities.add(capability);
        }
        JsonObject arguments = new JsonObject();
        arguments.add("capabilities", capabilities);
        return arguments;
    }

    /** Of {@code migrate-set-parameters}: nobody is told of the template's network cards. */
    public static JsonObject parameters() {
        JsonObject arguments = new JsonObject();
        arguments.addProperty("announce-rounds", 0);
        return arguments;
    }

    /** Of {@code migrate}. */
    public static JsonObject save(Path state) {
        return uri("file:" + state);
    }

    /** Of {@code migrate-incoming}. */
    public static JsonObject restore() {
        return uri("file:/dev/fdset/" + STATE_SET);
    }

    /** Of {@code remove-fd}, once it has been restored: the state is open no longer. */
    public static JsonObject forget() {
        JsonObject arguments = new JsonObject();
        arguments.addProperty("fdset-id", STATE_SET);
        return arguments;
    }

    /** What an event says of a migration, to a file or from one: "completed", "failed" and others; empty for any other message. */
    public static String status(QmpMessage message) {
        return message.kind() == QmpMessage.Kind.EVENT
                        && "MIGRATION".equals(message.text())
                        && message.details() instanceof JsonObject details
                ? Json.string(details, "status").orElse("")
                : "";
    }

    private static JsonObject uri(String uri) {
        JsonObject arguments = new JsonObject();
        arguments.addProperty("uri", uri);
        return arguments;
    }
}
