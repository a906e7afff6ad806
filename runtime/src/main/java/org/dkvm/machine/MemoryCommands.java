// SPDX-License-Identifier: Apache-2.0
package org.dkvm.machine;

import com.google.gson.JsonObject;

/** The arguments of QEMU's commands that change a running machine's memory. See QEMU's qemu-qmp-ref(7). */
public final class MemoryCommands {
    /** What virtio-mem gives and takes at a time, in bytes: as its driver does in Linux. */
    public static final long BLOCK = 4 * 1024 * 1024;

    private static final String BACKEND = "more-memory";
    private static final String DEVICE = "more";
    private static final String PATH = "path";

    private MemoryCommands() {}

    /** {@code object-add}: where more memory comes from, in bytes; none of it is taken before the guest uses it. */
    public static JsonObject backend(long bytes) {
        JsonObject json = new JsonObject();
        json.addProperty("qom-type", "memory-backend-memfd");
        json.addProperty("id", BACKEND);
        json.addProperty("size", bytes);
        // virtiofsd has to see it.
        json.addProperty("share", true);
        json.addProperty("reserve", false);
        return json;
    }

    /** {@code device_add}: the device by which the guest gets it. */
    public static JsonObject device(long requested) {
        JsonObject json = new JsonObject();
        json.addProperty("driver", "virtio-mem-pci");
        json.addProperty("id", DEVICE);
        json.addProperty("memdev", BACKEND);
        json.addProperty("bus", QemuCommand.MEMORY_PORT);
        json.addProperty("block-size", BLOCK);
        json.addProperty("requested-size", requested);
        return json;
    }

    /** {@code qom-set}: so many bytes of it are to be the guest's. */
    public static JsonObject request(long bytes) {
        JsonObject json = property("requested-size");
        json.addProperty("value", bytes);
        return json;
    }

    /** {@code qom-get}: how many are. */
    public static JsonObject size() {
        return property("size");
    }

    /** {@code balloon}: so many bytes of what the machine was started with are to be the guest's. */
    public static JsonObject balloon(long bytes) {
        JsonObject json = new JsonObject();
        json.addProperty("value", bytes);
        return json;
    }

    private static JsonObject property(String name) {
        JsonObject json = new JsonObject();
        json.addProperty(PATH, "/machine/peripheral/" + DEVICE);
        json.addProperty("property", name);
        return json;
    }
}
